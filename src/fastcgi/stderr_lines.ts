// Cuts what a backend writes to its stderr into lines for the log.

/** Longest line that is kept; a longer one is told in several. */
const MAX_LINE_BYTES = 8 * 1024;

// deno-lint-ignore no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** The stderr of one request. */
export class StderrLines {
  #decoder = new TextDecoder();
  #rest = "";
  #note: (line: string) => void;

  /** @param note gets each line, without its end and with control characters escaped */
  constructor(note: (line: string) => void) {
    this.#note = note;
  }

  /** Takes the next bytes. */
  put(bytes: Uint8Array): void {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#tell(line);
    if (this.#rest.length > MAX_LINE_BYTES) {
      this.#tell(this.#rest);
      this.#rest = "";
    }
  }

  /** Tells of a last line without an end. */
  end(): void {
    this.#tell(this.#rest + this.#decoder.decode());
    this.#rest = "";
  }

  #tell(line: string): void {
    const text = line.trimEnd();
    if (text === "") return;
    this.#note(text.replace(CONTROL, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`));
  }
}
