// Reads the answer to one request from a backend's connection: its head, the parts of its body, its end.
// What the backend writes to its stderr in between goes to the log.

import { messageOf } from "../platform/log.ts";
import { type CgiHead, CgiHeadReader } from "../wire/cgi_response.ts";
import type { BackendConnection } from "./backend_connection.ts";
import { BackendError } from "./backend_error.ts";
import { StderrLines } from "./stderr_lines.ts";

/** What reading an answer needs. */
export interface ReadingOptions {
  /** Most bytes of the head. */
  maxHeaderBytes: number;
  /** One character a byte. */
  decode: (bytes: Uint8Array, from: number, to: number) => string;
  /** Gets each line that the backend writes to its stderr. */
  noteStderr: (line: string) => void;
}

/** A part of the body in the connection's buffer. */
export interface Part {
  start: number;
  end: number;
}

/** An answer that is read. */
export class AnswerReader {
  /** Grows with each read that has brought something. */
  reads = 0;
  /** True while a read of the socket is under way. */
  isReading = false;
  /** True once the end of the request was read. */
  hasEnded = false;

  #connection: BackendConnection;
  #options: ReadingOptions;
  /** Made when there is something on stderr. */
  #stderr: StderrLines | null = null;
  /** What came of the body together with the head. Taken by `takePart`. */
  #first: Part | null = null;
  /** How a read has failed; undefined if none has. */
  #broken: unknown = undefined;

  constructor(connection: BackendConnection, options: ReadingOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Reads the head, and what has come of the body with it.
   *
   * @throws {BackendError} if the backend gives up before
   * @throws {FastCgiError | CgiError} if it is not one
   */
  async readHead(): Promise<CgiHead> {
    const { maxHeaderBytes, decode } = this.#options;
    const { reader } = this.#connection;
    const head = new CgiHeadReader(maxHeaderBytes, decode);
    for (;;) {
      const { buffer } = this.#connection;
      switch (reader.next()) {
        case "stdout": {
          const bodyAt = head.read(buffer, reader.start, reader.end);
          if (bodyAt < 0) break;
          this.#first = this.#gather(bodyAt < reader.end ? { start: bodyAt, end: reader.end } : null);
          return head.head();
        }
        case "stderr":
          this.#noteStderr(buffer.subarray(reader.start, reader.end));
          break;
        case "end":
          this.hasEnded = true;
          throw this.#endedEarly();
        case "needMore":
          if (!await this.#readMore()) throw this.#closedEarly("the head of its answer");
      }
    }
  }

  /** True if `takePart` gives what came with the head, or the end is known: it does not move what was taken before. */
  get isReady(): boolean {
    return this.#first !== null || this.hasEnded;
  }

  /** What has come of the body and was not taken yet; null if there is nothing. */
  takePart(): Part | null {
    const part = this.#first ?? (this.hasEnded ? null : this.#gather(null));
    this.#first = null;
    return part;
  }

  /**
   * Reads on, once what has come was taken and used.
   *
   * @throws {BackendError} if the backend closes before the end of the request
   */
  async readMore(): Promise<void> {
    if (!await this.#readMore()) throw this.#closedEarly("its answer");
  }

  /** Reads the rest, which is not sent on. */
  async readAway(): Promise<void> {
    for (;;) {
      while (this.takePart() !== null);
      if (this.hasEnded) return;
      await this.readMore();
    }
  }

  /** Tells of what is left of stderr. */
  end(): void {
    this.#stderr?.end();
  }

  /** Puts the parts of the body that stand in the buffer together, so that they are sent in one piece. */
  #gather(first: Part | null): Part | null {
    const { reader, buffer } = this.#connection;
    let part = first;
    for (;;) {
      switch (reader.next()) {
        case "stdout":
          if (part === null) part = { start: reader.start, end: reader.end };
          else {
            buffer.copyWithin(part.end, reader.start, reader.end);
            part.end += reader.end - reader.start;
          }
          break;
        case "stderr":
          this.#noteStderr(buffer.subarray(reader.start, reader.end));
          break;
        case "end":
          this.hasEnded = true;
          return part;
        case "needMore":
          return part;
      }
    }
  }

  /** Reads once. False if the backend has closed: a reset is as much an end as an end of file. */
  async #readMore(): Promise<boolean> {
    this.isReading = true;
    try {
      if (!await this.#connection.read()) return false;
      this.reads++;
      return true;
    } catch (error) {
      this.#broken = error;
      return false;
    } finally {
      this.isReading = false;
    }
  }

  #noteStderr(bytes: Uint8Array): void {
    (this.#stderr ??= new StderrLines(this.#options.noteStderr)).put(bytes);
  }

  #closedEarly(what: string): BackendError {
    const cause = this.#broken;
    const how = cause === undefined ? "" : ` (${messageOf(cause)})`;
    return new BackendError(502, `it closed the connection before ${what} was complete${how}`, { cause });
  }

  #endedEarly(): BackendError {
    const { protocolStatus } = this.#connection.reader;
    if (protocolStatus === "overloaded") return new BackendError(503, "it says that it is overloaded");
    const how = protocolStatus === "complete" ? "" : ` (${protocolStatus})`;
    return new BackendError(502, `it ended the request before the head of its answer was complete${how}`);
  }
}
