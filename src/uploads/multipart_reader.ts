// How a body falls into parts at its boundary (RFC 2046, section 5.1.1).

import { joined } from "../wire/octets.ts";
import { tooLarge, UploadError } from "./upload_error.ts";

/** Told of what a body brings, in order. May throw. */
export interface PartListener {
  /** A part begins. */
  begin(head: Uint8Array): void;
  /** Bytes of the part, uncopied: they are parts of the chunks that were written. */
  data(bytes: Uint8Array): void;
  /** It has ended. */
  end(): void;
}

/** Finds a needle in a body: tells what stands between, with the number of needles before it. */
export type MakeSearch = (
  needle: string,
  found: (index: number, bytes: Uint8Array) => void,
) => { write(chunk: Uint8Array): void; end(): void };

/** Most bytes of a part's head: room for a long name in any alphabet, and what a request's line may have. */
const MAX_HEAD_BYTES = 16 * 1024;

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const NOTHING = new Uint8Array(0);

/** The state of the reader. */
type State =
  | { at: "preamble" }
  | { at: "head"; bytes: Uint8Array; searched: number }
  | { at: "data" }
  | { at: "done" };

/** Reads a body, chunk by chunk. */
export class MultipartReader {
  #search: ReturnType<MakeSearch>;
  #listener: PartListener;
  #state: State = { at: "preamble" };
  /** True if what stands before the first boundary is more than spaces and line ends. */
  #hasPreamble = false;
  #index = 0;

  /**
   * @param makeSearch multipasta's
   * @param boundary as the request's type says
   * @param listener told of the parts
   */
  constructor(makeSearch: MakeSearch, boundary: string, listener: PartListener) {
    this.#listener = listener;
    this.#search = makeSearch(`\r\n--${boundary}`, (index, bytes) => this.#found(index, bytes));
    // The first boundary may begin the body: the line end before it belongs to the request's head.
    this.#search.write(Uint8Array.of(CR, LF));
  }

  /** True once the last boundary was found; what follows does not belong to the form. */
  get isDone(): boolean {
    return this.#state.at === "done";
  }

  /**
   * Reads on.
   *
   * @param chunk the next bytes; the listener may be given parts of it
   * @throws {UploadError} if they can never become a form; nothing may be written then any more
   */
  write(chunk: Uint8Array): void {
    if (!this.isDone && chunk.length > 0) this.#search.write(chunk);
  }

  /**
   * Ends the body.
   *
   * @throws {UploadError} if it is not complete
   */
  end(): void {
    if (!this.isDone) this.#search.end();
    if (!this.isDone) {
      const where = this.#state.at === "preamble" ? "before its first boundary" : "in the middle of a part";
      throw new UploadError("cut-short", `the form ended ${where}; its last line must be the boundary and two dashes`);
    }
  }

  #found(index: number, bytes: Uint8Array): void {
    if (this.isDone) return;
    if (index !== this.#index) this.#boundary(index);
    const state = this.#state;
    if (state.at === "data") this.#listener.data(bytes);
    else if (state.at === "head") this.#head(state, bytes);
    else this.#hasPreamble ||= !isBlank(bytes);
  }

  /** What was before it has ended. */
  #boundary(index: number): void {
    // Two boundaries in a row: the first has not even ended its line.
    if (index !== this.#index + 1) throw badLine();
    this.#index = index;
    const state = this.#state;
    if (state.at === "data") this.#listener.end();
    else if (state.at === "head") {
      // A part without a body may end after its head: its empty line is then the boundary's line end.
      const { bytes } = state;
      if (bytes.length < 4 || bytes[bytes.length - 2] !== CR || bytes[bytes.length - 1] !== LF) throw badLine();
      this.#begin(bytes.subarray(0, bytes.length - 2));
      this.#listener.end();
    }
    this.#state = { at: "head", bytes: NOTHING, searched: 0 };
  }

  #head(state: State & { at: "head" }, bytes: Uint8Array): void {
    const all = state.bytes.length === 0 ? bytes : joined([state.bytes, bytes], state.bytes.length + bytes.length);
    if (all[0] === DASH && all[1] === DASH) {
      if (this.#index === 1 && this.#hasPreamble) throw onlyPreamble();
      this.#state = { at: "done" };
      return;
    }
    const end = endOfHead(all, state.searched);
    if ((end < 0 ? all.length : end) > MAX_HEAD_BYTES) {
      throw tooLarge("part-head-too-large", `a part's head has more than ${MAX_HEAD_BYTES} bytes; shorten its names`);
    }
    if (end < 0) {
      state.bytes = all;
      state.searched = Math.max(0, all.length - 3);
      return;
    }
    this.#state = { at: "data" };
    this.#begin(all.subarray(0, end));
    if (end + 4 < all.length) this.#listener.data(all.subarray(end + 4));
  }

  /** The boundary's line may end in spaces (RFC 2046, section 5.1.1); then the head's lines follow. */
  #begin(block: Uint8Array): void {
    let at = 0;
    while (block[at] === 0x20 || block[at] === 0x09) at++;
    if (at < block.length && (block[at] !== CR || block[at + 1] !== LF)) throw badLine();
    this.#listener.begin(block.subarray(at + 2));
  }
}

/** The start of the empty line that ends a head; -1 if it has not come. */
function endOfHead(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF) return at;
    if (at > MAX_HEAD_BYTES) return -1;
  }
  return -1;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((octet) => octet === CR || octet === LF || octet === 0x20 || octet === 0x09);
}

/** Such a form has parts with another boundary: to take it for an empty one would lose them. */
function onlyPreamble(): UploadError {
  return new UploadError(
    "bad-part",
    "the form's first boundary is its last, but bytes stand before it; check the boundary",
  );
}

function badLine(): UploadError {
  return new UploadError("bad-part", "expected the end of the line behind a boundary, and then the head of a part");
}
