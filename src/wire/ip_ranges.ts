// Reads IP addresses and CIDR ranges, and tells whether an address is in one of them.
// An IPv4 address that is mapped into IPv6 (::ffff:192.0.2.1) is the IPv4 address: a socket for both shows it like this.

/** 4 bytes of IPv4 or 16 of IPv6. */
type AddressBytes = Uint8Array;

/** The addresses whose first `bits` bits are those of `bytes`. */
interface Range {
  readonly bytes: AddressBytes;
  readonly bits: number;
}

/** What is written for peers that come over a Unix socket; nginx writes it with the colon. */
const UNIX = /^unix:?$/;
/** The zone of an address: an interface's name or number. A proxy may pass on what a client has made up, for a log to show. */
const ZONE = /%[A-Za-z0-9._~-]+$/;
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Some ranges of addresses. */
export class IpRanges {
  /** True if `unix` is among them: peers over a Unix socket are meant too. */
  readonly hasUnix: boolean;
  #ranges: readonly Range[];
  /** The address that was asked for last, because the same proxy sends most requests. Changed by `has`. */
  #last = "";
  #isLastIn = false;

  /**
   * @param list addresses, CIDR ranges, or `unix`
   * @throws {RangeError} if one of them is something else
   */
  constructor(list: readonly string[]) {
    this.hasUnix = list.some((text) => UNIX.test(text));
    this.#ranges = list.filter((text) => !UNIX.test(text)).map(readRange);
  }

  /**
   * Tells whether an address is in one of the ranges.
   *
   * @param address such as `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0`
   * @returns false also if it is not an address
   */
  has(address: string): boolean {
    if (address !== this.#last) {
      const bytes = readAddress(address);
      this.#isLastIn = bytes !== null && this.#ranges.some((range) => isIn(bytes, range));
      this.#last = address;
    }
    return this.#isLastIn;
  }
}

function isIn(bytes: AddressBytes, range: Range): boolean {
  if (bytes.length !== range.bytes.length) return false;
  const whole = range.bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== range.bytes[i]) return false;
  const rest = range.bits & 7;
  return rest === 0 || ((bytes[whole]! ^ range.bytes[whole]!) >> (8 - rest)) === 0;
}

function readRange(text: string): Range {
  const [, address = "", prefix] = /^([^/%]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const bytes = readAddress(address);
  if (bytes === null) throw notRange(text);
  // A mapped range is written with the bits of IPv6.
  const most = address.includes(":") ? 128 : 32;
  const bits = prefix === undefined ? most : Number(prefix);
  const bitsHere = bits - (most - bytes.length * 8);
  if (bits > most || bitsHere < 0) throw notRange(text);
  return { bytes, bits: bitsHere };
}

function notRange(text: string): RangeError {
  return new RangeError(
    `expected an IP address, a range such as 10.0.0.0/8 or fd00::/8, or "unix", got ${JSON.stringify(text)}`,
  );
}

/**
 * Reads an IP address.
 *
 * @param text in dotted decimal (IPv4), or as RFC 4291, section 2.2, has it (IPv6), perhaps with a zone
 * @returns 4 bytes for IPv4, also if it is mapped into IPv6, and 16 for IPv6; null if it is not an address
 */
export function readAddress(text: string): AddressBytes | null {
  if (!text.includes(":")) return readIpv4(text);
  const bytes = readIpv6(text.replace(ZONE, ""));
  return bytes !== null && MAPPED.every((byte, i) => bytes[i] === byte) ? bytes.slice(12) : bytes;
}

function readIpv4(text: string): AddressBytes | null {
  const parts = text.split(".");
  // A leading zero is refused, because some systems take it for octal.
  const isAddress = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isAddress ? Uint8Array.from(parts, Number) : null;
}

function readIpv6(text: string): AddressBytes | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = [readGroups(halves[0]!, halves.length === 1), readGroups(halves[1] ?? "", true)];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // "::" stands for one group of zeros at least.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return Uint8Array.from([...head, ...Array(missing).fill(0), ...tail]);
}

/** Reads groups of four hexadecimal digits; the last may be an IPv4 address if the text ends the whole address. */
function readGroups(text: string, isEnd: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (isEnd && i === groups.length - 1 && group.includes(".")) {
      const ipv4 = readIpv4(group);
      if (ipv4 === null) return null;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/**
 * Writes an IP address as it is usually written.
 *
 * @param bytes 4 for IPv4, 16 for IPv6
 * @returns dotted decimal, also for a mapped address, or the text of RFC 5952
 */
export function showAddress(bytes: AddressBytes): string {
  if (bytes.length === 4) return bytes.join(".");
  if (MAPPED.every((byte, i) => bytes[i] === byte)) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8 | bytes[2 * i + 1]!).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
