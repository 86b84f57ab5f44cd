// What a form's parts become: values in memory, and events for files; and how much of each is too much.

import { type MakeSearch, MultipartReader, type PartListener } from "./multipart_reader.ts";
import { type PartHead, readPartHead } from "./part_head.ts";
import { decoderOf, type TransferDecoder } from "./transfer_decoder.ts";
import { showWord, tooLarge, UploadError } from "./upload_error.ts";
import type { UploadLimits, UploadPart } from "./upload_limits.ts";
import type { FileEvent } from "./upload_store.ts";

/** The part that comes now. */
type Part =
  | { kind: "value"; field: string; value: string; bytes: number; decoder: TextDecoder }
  | { kind: "file"; part: UploadPart; bytes: number }
  | { kind: "noFile"; part: UploadPart }
  /** It belongs to no field. */
  | { kind: "skipped" };

/** What a form is read with. */
export interface IntakeOptions {
  readonly limits: UploadLimits;
  /** True to refuse what only old clients send. */
  readonly strict: boolean;
  /** Searches for the boundaries inside a part that holds several files. */
  readonly makeSearch: MakeSearch;
}

/** Longest name of a charset that is looked up. */
const MAX_CHARSET_LENGTH = 40;

/** Takes parts as they come. */
export class FormIntake implements PartListener {
  /** The values of fields that are not files, in order. */
  readonly fields: Map<string, string[]> = new Map();
  /** Fields and files in order; the value is null for a file. */
  readonly order: [field: string, value: string | null][] = [];

  #options: IntakeOptions;
  #limits: UploadLimits;
  /**
   * Reads values that name no charset, and heads: UTF-8, unless a field `_charset_` came (RFC 7578, section 4.6). It holds
   * half a character between two pieces, so each form has its own.
   */
  #text = new TextDecoder("utf-8", { ignoreBOM: true });
  #events: FileEvent[] = [];
  #part: Part | null = null;
  /** Decodes the bytes of the part; null if they come as they are. */
  #decoder: TransferDecoder | null = null;
  /** Reads a part that holds several files; null outside such a part. */
  #mixed: MultipartReader | null = null;
  #files = 0;
  #values = 0;
  #valueBytes = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#limits = options.limits;
  }

  /** Hands over what has to be done with files since the last call. */
  takeEvents(): FileEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  begin(bytes: Uint8Array): void {
    const head = this.#begin(bytes, null);
    if (head === null || head.boundary === null) return;
    const { field } = head;
    this.#mixed = new MultipartReader(this.#options.makeSearch, head.boundary, {
      begin: (inner) => void this.#begin(inner, field),
      data: (inner) => this.#decode(inner),
      end: () => this.#end(),
    });
  }

  data(bytes: Uint8Array): void {
    if (this.#mixed === null) this.#decode(bytes);
    else this.#mixed.write(bytes);
  }

  end(): void {
    if (this.#mixed === null) return this.#end();
    this.#mixed.end();
    this.#mixed = null;
  }

  /** Begins a part of the form, or of a part that holds several. Null if it is skipped. */
  #begin(bytes: Uint8Array, within: string | null): PartHead | null {
    const head = readPartHead(bytes, { strict: this.#options.strict, decoder: this.#text, within });
    if (head === null) {
      this.#countValue();
      this.#part = { kind: "skipped" };
      return null;
    }
    const { field, encoding } = head;
    const { maxNameLength } = this.#limits;
    if (field.length > maxNameLength) {
      throw new UploadError("name-too-long", `a field's name has more than ${maxNameLength} characters; shorten it`);
    }
    if (head.boundary !== null) {
      this.#countValue();
      return head;
    }
    this.#decoder = encoding === null ? null : decoderOf(encoding, field);
    if (head.name !== null) this.#beginFile(head, { field, name: head.name, type: head.type });
    else {
      this.#countValue();
      this.#part = { kind: "value", field, value: "", bytes: 0, decoder: this.#decoderOf(head.charset) };
    }
    return head;
  }

  /** Parts that become nothing count too, because each of them costs time. */
  #countValue(): void {
    const { maxFields } = this.#limits;
    if (++this.#values > maxFields) {
      throw tooLarge("too-many-fields", `the form has more than ${maxFields} fields; send fewer`);
    }
  }

  /** The decoder of a charset. One that is not known is refused if `strict`; otherwise the charset of the form is taken. */
  #decoderOf(charset: string | null): TextDecoder {
    if (charset === null) return this.#text;
    try {
      return new TextDecoder(charset, { ignoreBOM: true });
    } catch {
      if (!this.#options.strict) return this.#text;
      throw new UploadError("bad-part", `the charset ${showWord(charset)} of a field is not known; send UTF-8`);
    }
  }

  #decode(bytes: Uint8Array): void {
    if (this.#decoder === null) return this.#put(bytes);
    const decoded = this.#decoder.decode(bytes);
    if (decoded.length > 0) this.#put(decoded);
  }

  #put(bytes: Uint8Array): void {
    const part = this.#part!;
    if (part.kind === "skipped") return;
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

  #end(): void {
    this.#decoder?.end();
    this.#decoder = null;
    const part = this.#part!;
    this.#part = null;
    if (part.kind === "file") this.#events.push({ kind: "end" });
    else if (part.kind === "value") this.#keepValue(part.field, part.value + part.decoder.decode());
  }

  #keepValue(field: string, value: string): void {
    const values = this.fields.get(field);
    if (values === undefined) this.fields.set(field, [value]);
    else values.push(value);
    this.order.push([field, value]);
    if (field === "_charset_" && value.length <= MAX_CHARSET_LENGTH) this.#setCharset(value);
  }

  /** From here on text is read in the charset of the page, as browsers send it. */
  #setCharset(charset: string): void {
    const decoder = this.#decoderOf(charset);
    // In no other family is a head something else than ASCII; no browser sends a form in it.
    if (!decoder.encoding.startsWith("utf-16")) this.#text = decoder;
  }

  /** A form whose field for a file was left empty sends a part all the same: it is not a file. */
  #beginFile({ isUnnamed }: PartHead, part: UploadPart): void {
    if (isUnnamed) this.#part = { kind: "noFile", part };
    else this.#openFile(part);
  }

  #openFile(part: UploadPart): Part & { kind: "file" } {
    const { maxFiles } = this.#limits;
    if (++this.#files > maxFiles) {
      throw tooLarge("too-many-files", `the form has too many files, the limit is ${maxFiles}; send fewer at once`);
    }
    this.order.push([part.field, null]);
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
    part.value += part.decoder.decode(bytes, { stream: true });
  }
}
