// SHA-1 (RFC 3174) of a short text. The handshake of a WebSocket needs it at once, and the runtime's own is asynchronous or
// takes long to load. Nothing secret depends on it.

/**
 * Hashes a text.
 *
 * @param text ASCII
 * @returns 20 bytes
 */
export function sha1(text: string): Uint8Array {
  const blocks = ((text.length + 8) >>> 6) + 1;
  const view = new DataView(new ArrayBuffer(blocks * 64));
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  view.setUint8(text.length, 0x80);
  view.setUint32(blocks * 64 - 4, text.length * 8);
  const hash = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  for (let block = 0; block < blocks; block++) addBlock(hash, view, block * 64);
  const result = new DataView(new ArrayBuffer(20));
  hash.forEach((word, i) => result.setInt32(i * 4, word));
  return new Uint8Array(result.buffer);
}

function addBlock(hash: Int32Array, view: DataView, from: number): void {
  const words = new Int32Array(80);
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(from + i * 4);
  for (let i = 16; i < 80; i++) {
    words[i] = rotate(word(words, i - 3) ^ word(words, i - 8) ^ word(words, i - 14) ^ word(words, i - 16), 1);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = hash;
  for (let i = 0; i < 80; i++) {
    const next = (rotate(a, 5) + mixed(i, b, { c, d }) + e + word(words, i)) | 0;
    [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
  }
  [a, b, c, d, e].forEach((value, i) => hash[i] = word(hash, i) + value);
}

/** The function and the constant of a round. */
function mixed(round: number, b: number, { c, d }: { c: number; d: number }): number {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function word(words: Int32Array, at: number): number {
  return words[at]!; // In range: the callers count to the length.
}
