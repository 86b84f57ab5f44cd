// Knows: what a form's parts become: values in memory, and events for files; and how much of each is too much.
// Does not know: where files go.

import type { PartListener } from "./multipart_reader.ts";
import { type PartHead, readPartHead } from "./part_head.ts";
import { showWord, tooLarge, UploadError } from "./upload_error.ts";
import type { UploadLimits, UploadPart } from "./upload_limits.ts";
import type { FileEvent } from "./upload_store.ts";

/** The part that comes now. */
type Part =
  | { kind: "value"; field: string; value: string; bytes: number }
  | { kind: "file"; part: UploadPart; bytes: number }
  | { kind: "noFile"; part: UploadPart };

/** Takes parts as they come. */
export class FormIntake implements PartListener {
  /** The values of fields that are no files, in order. */
  readonly fields: Map<string, string[]> = new Map();

  #limits: UploadLimits;
  /** Holds the half of a character between two pieces: one for each form. */
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #events: FileEvent[] = [];
  #part: Part | null = null;
  #files = 0;
  #values = 0;
  #valueBytes = 0;

  constructor(limits: UploadLimits) {
    this.#limits = limits;
  }

  /** Hands over what has to be done with files since the last call. */
  takeEvents(): FileEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  begin(bytes: Uint8Array): void {
    const head = readPartHead(bytes);
    const { field } = head;
    const { maxFields, maxNameLength } = this.#limits;
    if (field.length > maxNameLength) {
      throw new UploadError("name-too-long", `a field's name has more than ${maxNameLength} characters; shorten it`);
    }
    if (head.name !== null) return this.#beginFile(head, { field, name: head.name, type: head.type });
    if (++this.#values > maxFields) {
      throw tooLarge("too-many-fields", `the form has more than ${maxFields} fields; send fewer`);
    }
    this.#part = { kind: "value", field, value: "", bytes: 0 };
  }

  data(bytes: Uint8Array): void {
    const part = this.#part!;
    if (part.kind === "value") return this.#putValue(part, bytes);
    // A file without a name, but with bytes.
    const file = part.kind === "file" ? part : this.#openFile(part.part);
    file.bytes += bytes.length;
    const { maxFileBytes } = this.#limits;
    if (file.bytes > maxFileBytes) {
      throw tooLarge(
        "file-too-large",
        `the file in field ${showWord(file.part.field)} has more than ${maxFileBytes} bytes; send a smaller one`,
      );
    }
    this.#events.push({ kind: "data", bytes });
  }

  end(): void {
    const part = this.#part!;
    this.#part = null;
    if (part.kind === "file") this.#events.push({ kind: "end" });
    else if (part.kind === "value") {
      const value = part.value + this.#decoder.decode();
      const values = this.fields.get(part.field);
      if (values === undefined) this.fields.set(part.field, [value]);
      else values.push(value);
    }
  }

  /** A form whose field for a file was left empty sends a part all the same: it is no file. */
  #beginFile({ isUnnamed }: PartHead, part: UploadPart): void {
    if (isUnnamed) this.#part = { kind: "noFile", part };
    else this.#openFile(part);
  }

  #openFile(part: UploadPart): Part & { kind: "file" } {
    const { maxFiles } = this.#limits;
    if (++this.#files > maxFiles) {
      throw tooLarge("too-many-files", `the form has more than ${maxFiles} files; send fewer at once`);
    }
    this.#events.push({ kind: "begin", part });
    return this.#part = { kind: "file", part, bytes: 0 };
  }

  #putValue(part: Part & { kind: "value" }, bytes: Uint8Array): void {
    const { maxFieldBytes, maxFieldsBytes } = this.#limits;
    part.bytes += bytes.length;
    this.#valueBytes += bytes.length;
    if (part.bytes > maxFieldBytes) {
      throw tooLarge(
        "field-too-large",
        `the value of field ${showWord(part.field)} has more than ${maxFieldBytes} bytes; send it as a file`,
      );
    }
    if (this.#valueBytes > maxFieldsBytes) {
      throw tooLarge(
        "fields-too-large",
        `the form's values have more than ${maxFieldsBytes} bytes; send files instead`,
      );
    }
    part.value += this.#decoder.decode(bytes, { stream: true });
  }
}
