// How a proxy writes the header of the PROXY protocol, version 2.

import { join } from "./responses.ts";
import { latin1 } from "./wire.ts";

/** What stands in a header. Without anything it is TCP over IPv4, from 203.0.113.9:56324 to 192.0.2.2:443. */
export interface HeaderV2 {
  command?: number;
  family?: number;
  addresses?: Uint8Array;
  values?: Uint8Array;
  /** The length that is told, if it is not the right one. */
  length?: number;
}

/** The addresses and ports of a client and of what it connected to. */
export const IPV4_ENDS: Uint8Array = Uint8Array.of(203, 0, 113, 9, 192, 0, 2, 2, 0xdc, 0x04, 0x01, 0xbb);
const IPV6_START = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/** The same of IPv6. */
export const IPV6_ENDS: Uint8Array = Uint8Array.of(...IPV6_START, 9, ...IPV6_START, 2, 0xdc, 0x04, 0x01, 0xbb);

/** Writes it. */
export function headerV2(header: HeaderV2 = {}): Uint8Array {
  const { command = 0x21, family = 0x11, addresses = IPV4_ENDS, values = new Uint8Array() } = header;
  const length = header.length ?? addresses.length + values.length;
  const fixed = Uint8Array.of(command, family, length >> 8, length & 0xff);
  return join([latin1("\r\n\r\n\0\r\nQUIT\n"), fixed, addresses, values]);
}

/** A type-length-value. */
export function valueOf(type: number, bytes: readonly number[]): Uint8Array {
  return Uint8Array.of(type, bytes.length >> 8, bytes.length & 0xff, ...bytes);
}

/** What tells that the client has connected over TLS. */
export const OVER_TLS: Uint8Array = valueOf(0x20, [0x01, 0, 0, 0, 0, ...valueOf(0x21, [0x54, 0x4c, 0x53])]);
