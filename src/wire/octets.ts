// Which bytes may stand where in a head (RFC 9110, section 5.6.2; RFC 9112, sections 3 and 5).

/** Carriage return. */
export const CR = 0x0d;
/** Line feed. */
export const LF = 0x0a;
/** Space. */
export const SP = 0x20;
/** Horizontal tab. */
export const TAB = 0x09;
/** The digit 0. */
export const ZERO = 0x30;
/** The colon between a field's name and its value. */
export const COLON = 0x3a;

/** `tchar` of RFC 9110, section 5.6.2, for the brackets of a regular expression: what methods and names of fields are made of. */
export const TCHAR = "!#$%&'*+\\-.^_`|~0-9A-Za-z";

const TCHAR_ALONE = new RegExp(`[${TCHAR}]`);
/** The same as a table: 1 for a byte of a token. */
export const TOKEN: Uint8Array = tableOf((octet) => TCHAR_ALONE.test(String.fromCharCode(octet)));

/**
 * A request target: 1 for visible ASCII without `#`, 2 for a byte of UTF-8. Section 3.2 of RFC 9112 allows less, but browsers
 * send `|`, `[` or `"` as they stand in a query, and tools such as curl send UTF-8. A fragment never belongs on the wire, and
 * proxies differ in where they cut it.
 */
export const TARGET: Uint8Array = tableOf((octet) => octet > 0x20 && octet < 0x7f && octet !== 0x23)
  .map((may, octet) => octet >= 0x80 ? 2 : may);

/** A field value: visible ASCII, space, tab and obs-text (RFC 9110, section 5.5). */
export const FIELD_VALUE: Uint8Array = tableOf((octet) => octet === TAB || (octet >= 0x20 && octet !== 0x7f));

/**
 * The value of a hexadecimal digit.
 *
 * @param octet one byte
 * @returns 0 to 15, or -1 if it is not a hexadecimal digit
 */
export function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Shows bytes in an error message without letting them act on a terminal.
 *
 * @param octet the byte that was not expected
 * @returns its printable form, such as `"a"` or `0x0b`
 */
export function showOctet(octet: number): string {
  if (octet === CR) return "CR";
  if (octet === LF) return "LF";
  if (octet > 0x20 && octet < 0x7f) return `"${String.fromCharCode(octet)}"`;
  return `0x${octet.toString(16).padStart(2, "0")}`;
}

/**
 * Puts pieces together.
 *
 * @param pieces the pieces in order
 * @param length their bytes in all
 * @returns one array
 */
export function joined(pieces: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function tableOf(may: (octet: number) => boolean): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) table[octet] = may(octet) ? 1 : 0;
  return table;
}
