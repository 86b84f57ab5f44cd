// Masks of RFC 6455, section 5.3. Four bytes at a time; the view reads them at any address.

/** From this length on, eight bytes at a time are worth a mask of eight bytes. */
const LONG_BYTES = 256;

/**
 * Turns a mask, for a payload that goes on elsewhere.
 *
 * @param mask as a number; its lowest byte is for the next byte of the payload
 * @param count bytes that it was used for
 * @returns the mask for the byte that follows them
 */
export function rotated(mask: number, count: number): number {
  const bits = (count & 3) * 8;
  return bits === 0 ? mask : (mask >>> bits) | (mask << (32 - bits));
}

/**
 * Unmasks bytes where they stand.
 *
 * @param view over their buffer
 * @param from the first
 * @param options `to`: one past the last; `mask`: turned to the first
 */
export function unmask(
  view: DataView<ArrayBufferLike>,
  from: number,
  { to, mask }: { to: number; mask: number },
): void {
  let at = from;
  if (to - at >= LONG_BYTES) {
    const half = BigInt(mask >>> 0);
    const long = half << 32n | half;
    for (const last = to - 8; at <= last; at += 8) view.setBigUint64(at, view.getBigUint64(at, true) ^ long, true);
  }
  for (const last = to - 4; at <= last; at += 4) view.setInt32(at, view.getInt32(at, true) ^ mask, true);
  for (let rest = mask; at < to; at++, rest >>>= 8) view.setUint8(at, view.getUint8(at) ^ (rest & 0xff));
}
