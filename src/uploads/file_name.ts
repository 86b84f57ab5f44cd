// How a name that a client sends becomes one that can be given to a file.
// What comes out is one name, never a path, never empty, hidden or special to any system.

/** Most bytes of a name: what the common file systems take, less what an application may want to add. */
const MAX_BYTES = 200;

/** Characters that end lines, act on terminals, turn text around. */
// deno-lint-ignore no-control-regex -- these are what it is about
const UNWANTED = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
/** Those that Windows refuses, and what stands for bytes that are no UTF-8. */
const REFUSED = /[<>:"|?*\ufffd]/g;

/** Names that are devices on Windows, whatever follows the first dot. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;

const encoder = new TextEncoder();

/**
 * Makes a safe name of what a client calls its file: its last part, without what could act on a system.
 *
 * @param said what the client says, anything
 * @returns a name of up to 200 bytes; "file" if nothing is left
 */
export function safeName(said: string): string {
  const base = said.slice(Math.max(said.lastIndexOf("/"), said.lastIndexOf("\\")) + 1);
  const clean = base.toWellFormed().normalize("NFC").replace(UNWANTED, "").replace(REFUSED, "_");
  // Dots in front hide a file or lead upwards; Windows drops dots and spaces at the end.
  const name = shorten(trimEnd(clean.replace(/^[.\s]+/, "")));
  return name === "" ? "file" : DEVICE.test(name) ? `_${name}` : name;
}

/** Cuts the stem rather than the extension. */
function shorten(name: string): string {
  if (encoder.encode(name).length <= MAX_BYTES) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && encoder.encode(name.slice(dot)).length <= 20 ? name.slice(dot) : "";
  const left = MAX_BYTES - encoder.encode(extension).length;
  const room = new Uint8Array(left);
  // Stops before a character that does not fit.
  const { read } = encoder.encodeInto(name.slice(0, name.length - extension.length), room);
  return trimEnd(name.slice(0, read)) + extension;
}

function trimEnd(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === "." || name.charAt(end - 1).trim() === "")) end--;
  return name.slice(0, end);
}
