// How files get from parts to the disk or to a sink, one write at a time, and how they go again.
// Once it is over nothing stays and nothing more is made, whatever is under way.

import type { NamedFile, TemporaryDirectory } from "../platform/ports.ts";
import { Gathering } from "../wire/gathering.ts";
import { Received } from "./received_file.ts";
import { UploadError } from "./upload_error.ts";
import type { UploadOptions, UploadPart } from "./upload_limits.ts";

/** What has to be done with files, in order. */
export type FileEvent =
  | { readonly kind: "begin"; readonly part: UploadPart }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

/** Where the bytes of one file go. */
interface Target {
  put(bytes: Uint8Array): Promise<void>;
  /** Ends it, whole: the file if there is one. */
  end(): Promise<NamedFile | null>;
  abort(reason: unknown): void;
}

/** The files of one upload. */
export class UploadStore {
  /** Those that are whole. */
  readonly files: Received[] = [];

  #makeDirectory: (parent?: string) => Promise<TemporaryDirectory>;
  #options: UploadOptions;
  #directory: Promise<TemporaryDirectory> | null = null;
  #current: { part: UploadPart; size: number; target: Target } | null = null;
  #disposed: Promise<void> | null = null;
  #made = 0;

  /**
   * @param makeDirectory the platform's
   * @param options where files go
   */
  constructor(makeDirectory: (parent?: string) => Promise<TemporaryDirectory>, options: UploadOptions) {
    this.#makeDirectory = makeDirectory;
    this.#options = options;
  }

  /**
   * Does what has to be done. Call again only when it is done.
   *
   * @param events in order; bytes must not change until it is done
   * @throws {StorageError} if the disk does not take them
   */
  async take(events: readonly FileEvent[]): Promise<void> {
    try {
      for (const event of events) {
        await this.#do(event);
        if (this.#disposed !== null) throw over();
      }
    } catch (error) {
      // A file that was taken away under a write is not a failure of the disk.
      throw this.#disposed === null ? error : over();
    }
  }

  /**
   * Removes everything that was not moved away. May be called again, and while something is under way.
   *
   * @param reason what a sink is told that is not whole yet
   */
  dispose(reason?: unknown): Promise<void> {
    return this.#disposed ??= this.#dispose(reason);
  }

  async #dispose(reason: unknown): Promise<void> {
    for (const file of this.files) file.forget();
    this.#current?.target.abort(reason ?? over());
    try {
      await (await this.#directory)?.remove();
    } catch {
      // It was never made.
    }
  }

  async #do(event: FileEvent): Promise<void> {
    if (event.kind === "begin") {
      const target = await this.#open(event.part);
      this.#current = { part: event.part, size: 0, target };
      // If the upload was ended meanwhile, the file was not removed with the others.
      if (this.#disposed !== null) target.abort(over());
      return;
    }
    const current = this.#current!;
    if (event.kind === "data") {
      current.size += event.bytes.length;
      return await current.target.put(event.bytes);
    }
    const file = await current.target.end();
    this.#current = null;
    this.files.push(new Received(current.part, current.size, file));
  }

  async #open(part: UploadPart): Promise<Target> {
    const sink = await this.#options.sink?.(part);
    if (sink != null) return new SinkTarget(sink.getWriter());
    if (this.#disposed !== null) throw over();
    this.#directory ??= this.#makeDirectory(this.#options.directory);
    // Names of ours: no client's word ever becomes a path.
    return new DiskTarget(await (await this.#directory).create(`${++this.#made}`));
  }
}

class DiskTarget implements Target {
  #file: NamedFile;
  #gathering = new Gathering();

  constructor(file: NamedFile) {
    this.#file = file;
  }

  async put(bytes: Uint8Array): Promise<void> {
    for (const block of this.#gathering.put(bytes)) await this.#file.append(block);
  }

  async end(): Promise<NamedFile> {
    const last = this.#gathering.end();
    if (last !== null) await this.#file.append(last);
    this.#file.close();
    return this.#file;
  }

  abort(): void {
    this.#file.close();
  }
}

class SinkTarget implements Target {
  #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  async put(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
  }

  async end(): Promise<null> {
    await this.#writer.close();
    return null;
  }

  abort(reason: unknown): void {
    // What it fails with is its own matter: the upload has failed already.
    this.#writer.abort(reason).catch(() => {});
    this.#writer.closed.catch(() => {});
  }
}

function over(): UploadError {
  return new UploadError("cut-short", "the request was over before its files had come");
}
