// What an application gets of a form, and what it does with a file that has come: read it, move it away.

import type { NamedFile } from "../platform/ports.ts";
import { showOnly } from "../platform/shown.ts";
import type { UploadPart } from "./upload_limits.ts";

/** A file that has come whole. */
export interface ReceivedFile extends UploadPart {
  /** Its bytes. */
  readonly size: number;
  /** Where it stands now; null if a sink took it, or once it is removed. */
  readonly path: string | null;
  /**
   * Its content, from the beginning; may be called again.
   *
   * @throws {TypeError} if a sink took it, or it is removed
   */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Its content as UTF-8.
   *
   * @throws {TypeError} (rejects) if a sink took it, or it is removed
   */
  text(): Promise<string>;
  /**
   * Takes it out of the temporary files, to stay. What stands at the path is replaced; only this user may read it at first.
   *
   * @param path where to, also on another disk
   * @throws {TypeError} (rejects) if a sink took it, or it is removed
   */
  moveTo(path: string): Promise<void>;
}

/** Where its bytes are. */
type Place = { at: "file" | "moved"; file: NamedFile } | { at: "sink" } | { at: "nowhere" };

/** A file of an upload; the upload says when it is removed. */
export class Received implements ReceivedFile {
  readonly field: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  #place: Place;

  /**
   * @param part what it is
   * @param size its bytes
   * @param file if it stands; null if a sink took it
   */
  constructor(part: UploadPart, size: number, file: NamedFile | null) {
    this.field = part.field;
    this.name = part.name;
    this.type = part.type;
    this.size = size;
    this.#place = file === null ? { at: "sink" } : { at: "file", file };
  }

  get path(): string | null {
    return "file" in this.#place ? this.#place.file.path : null;
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#file().stream();
  }

  async text(): Promise<string> {
    return await new Response(this.stream()).text();
  }

  async moveTo(path: string): Promise<void> {
    const file = this.#file();
    await file.moveTo(path);
    this.#place = { at: "moved", file };
  }

  /** Called by the upload when its request ends: what was not moved away is removed. */
  forget(): void {
    if (this.#place.at === "file") this.#place = { at: "nowhere" };
  }

  #file(): NamedFile {
    const place = this.#place;
    if ("file" in place) return place.file;
    throw new TypeError(
      place.at === "sink"
        ? `the file ${JSON.stringify(this.name)} went to the sink that was given; it is not kept`
        : `the file ${JSON.stringify(this.name)} was removed when its request ended; read it or move it away before`,
    );
  }

  static {
    showOnly(this, ["field", "name", "type", "size", "path"]);
  }
}

/** What a form has brought. Disposed of, its files are removed, but for those that were moved away. */
export interface ReceivedForm extends AsyncDisposable {
  /** The values of each field that is not a file, in the order sent. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The files, in the order sent. */
  readonly files: readonly ReceivedFile[];
  /** Fields and files together, in the order sent: the field's name, and its value or its file. */
  readonly entries: readonly (readonly [field: string, value: string | ReceivedFile])[];
  /**
   * The last value of a field.
   *
   * @param name the field's
   * @returns the value; null if there is none
   */
  field(name: string): string | null;
  /**
   * The last file of a field.
   *
   * @param name the field's
   * @returns the file; null if there is none
   */
  file(name: string): ReceivedFile | null;
  /** Removes the files now. Under Weft it happens by itself when the request ends. Never rejects; may be called again. */
  dispose(): Promise<void>;
}
