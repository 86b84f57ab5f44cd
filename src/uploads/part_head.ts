// What the head of a part says (RFC 7578, section 4): its field, its file's name, its type.
// What clients really send is read; what two readers could read in two ways is refused.

import { TCHAR } from "../wire/octets.ts";
import { safeName } from "./file_name.ts";
import { readLooseParameters, readParameters } from "./parameters.ts";
import type { TransferEncoding } from "./transfer_decoder.ts";
import { showWord, UploadError } from "./upload_error.ts";

/** How heads are read. */
export interface HeadReading {
  /** True to refuse what only old clients send. */
  readonly strict: boolean;
  /** Turns the bytes of a head into text. */
  readonly decoder: TextDecoder;
  /** The field of the parts of a multipart/mixed, which do not name it themselves; null for the parts of the form. */
  readonly within: string | null;
}

/** What a part is. */
export interface PartHead {
  /** The field that it belongs to. */
  readonly field: string;
  /** A safe name made of the file's; null if the part is not a file. */
  readonly name: string | null;
  /** True if a form had no file to send: its part is there, with an empty name. */
  readonly isUnnamed: boolean;
  /** The media type that the client says, without parameters. */
  readonly type: string;
  /** The charset that the type names; null if it names none. */
  readonly charset: string | null;
  /** The boundary of a part that holds several files (multipart/mixed); null for every other part. */
  readonly boundary: string | null;
  /** How its bytes are encoded; null if they come as they are. */
  readonly encoding: TransferEncoding | null;
}

/** RFC 2046 allows fewer characters; some clients take more, and none of these can be misread. */
const BOUNDARY = /^[!#$%&'()*+,\-./:;<=>?@[\]^_`{|}~0-9A-Za-z ]{0,69}[!#$%&'()*+,\-./:;<=>?@[\]^_`{|}~0-9A-Za-z]$/;
const FIELD_LINE = new RegExp(`^([${TCHAR}]+):[ \\t]*(.*)$`, "s");
const TOKEN = new RegExp(`^[${TCHAR}]*$`);
const MEDIA_TYPE = new RegExp(`^[${TCHAR}]{1,127}/[${TCHAR}]{1,127}$`);
const OCTETS = "application/octet-stream";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads the boundary out of a request's type.
 *
 * @param contentType the value of content-type, null if there is none
 * @param options `strict` refuses the backslash that some old clients put into a boundary
 * @returns the boundary
 * @throws {UploadError} if the body is not a form with files, or its boundary cannot be one
 */
export function boundaryOf(contentType: string | null, { strict }: { strict: boolean }): string {
  if (!/^\s*multipart\/form-data\s*(;|$)/i.test(contentType ?? "")) {
    const came = contentType === null ? "no content-type" : `content-type ${JSON.stringify(contentType.slice(0, 100))}`;
    throw new UploadError("not-multipart", `expected multipart/form-data, got ${came}; send a form with files`, {
      status: 415,
    });
  }
  const boundary = readBoundary(contentType ?? "", strict);
  if (boundary !== null) return boundary;
  throw new UploadError(
    "bad-boundary",
    "expected a boundary of 1 to 70 characters in the content-type, as in multipart/form-data; boundary=abc; " +
      "let the client set this field itself",
  );
}

function readBoundary(type: string, strict: boolean): string | null {
  const boundary = readParameters(type)?.parameters.get("boundary") ?? "";
  return BOUNDARY.test(strict ? boundary : boundary.replaceAll("\\", "/")) ? boundary : null;
}

/**
 * Reads the head of a part.
 *
 * @param bytes its lines, without the empty one at the end
 * @param reading how
 * @returns what it says; null if it belongs to no field, so that it has to be skipped
 * @throws {UploadError} if it is malformed, or `strict` refuses it
 */
export function readPartHead(bytes: Uint8Array, reading: HeadReading): PartHead | null {
  const { strict, within } = reading;
  const fields = readFields(reading.decoder.decode(bytes));
  const disposition = readDisposition(fields.disposition ?? "", reading);
  if (disposition === null) {
    if (strict) throw bad("has no content-disposition: form-data");
    return null;
  }
  const { field, said } = disposition;
  const type = beforeSemicolon(fields.type ?? "");
  const isMixed = said === null && type === "multipart/mixed";
  if (isMixed && (strict || within !== null)) throw bad("holds several files; send each as a part of its own");
  const boundary = isMixed ? readBoundary(fields.type!, strict) : null;
  if (isMixed && boundary === null) throw bad("is a multipart/mixed without a boundary");
  const encoding = readEncoding(fields.encoding, strict);
  if (isMixed && encoding !== null) throw bad("is an encoded multipart/mixed");
  return {
    field,
    name: said === null ? null : safeName(said),
    isUnnamed: said === "",
    type: MEDIA_TYPE.test(type) ? type : OCTETS,
    charset: readParameters(fields.type ?? "")?.parameters.get("charset") ?? null,
    boundary,
    encoding,
  };
}

/** The values of the fields that matter; null for those that are not there. */
interface HeadFields {
  disposition: string | null;
  type: string | null;
  encoding: string | null;
}

function readFields(text: string): HeadFields {
  const fields: HeadFields = { disposition: null, type: null, encoding: null };
  // A part may have no fields at all (RFC 2046, section 5.1).
  if (text === "") return fields;
  // A line that begins with a space goes on with the one before (RFC 5322, section 2.2.3).
  for (const line of text.replace(/\r\n(?=[ \t])/g, "").split("\r\n")) {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || /[\r\n]/.test(line)) throw bad("has a line that is no field");
    const key = keyOf(name.toLowerCase());
    if (key === null) continue;
    if (fields[key] !== null) throw bad(`has two fields ${name.toLowerCase()}`);
    fields[key] = value.trim();
  }
  return fields;
}

/** A value without its parameters, in lower case. */
function beforeSemicolon(text: string): string {
  const [value = ""] = text.split(";", 1);
  return value.trim().toLowerCase();
}

function keyOf(name: string): keyof HeadFields | null {
  switch (name) {
    case "content-disposition":
      return "disposition";
    case "content-type":
      return "type";
    case "content-transfer-encoding":
      return "encoding";
    default:
      return null;
  }
}

function readEncoding(text: string | null, strict: boolean): TransferEncoding | null {
  const encoding = text?.toLowerCase() ?? "";
  if (/^(7bit|8bit|binary)?$/.test(encoding)) return null;
  const isKnown = encoding === "base64" || encoding === "quoted-printable";
  if (isKnown && !strict) return encoding;
  throw bad(`is encoded for mail (${showWord(encoding)}); send its bytes as they are`);
}

/** The field's name, and what the client calls its file. Null if the part does not belong to a field of the form. */
function readDisposition(
  text: string,
  { strict, within }: HeadReading,
): { field: string; said: string | null } | null {
  const kind = beforeSemicolon(text);
  if (!TOKEN.test(kind)) throw bad("has a malformed content-disposition");
  if (!(kind === "form-data" || within !== null && (kind === "file" || kind === "attachment"))) return null;
  const read = readParameters(text) ?? (strict ? null : readLooseParameters(text));
  if (read === null) throw bad("has a content-disposition that can be read in several ways");
  const { parameters } = read;
  const field = within ?? parameters.get("name");
  if (field === undefined) throw bad("does not name its field");
  // Pieces of a name (RFC 2231, section 3) would make a value of a file.
  if (parameters.has("filename*0") || parameters.has("filename*0*")) {
    throw bad("sends the name of its file in pieces; send it whole, as filename");
  }
  const plain = parameters.get("filename");
  const said = decodeExtended(parameters.get("filename*")) ?? (plain === undefined ? null : unescapeForm(plain));
  return { field: within ?? unescapeForm(field), said };
}

/** Browsers escape just these three, and not the percent sign (HTML, "multipart/form-data encoding algorithm"). */
function unescapeForm(text: string): string {
  return text.replace(/%(22|0[AD])/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
}

/** A name in another alphabet, `UTF-8''%e2%82%ac.txt` (RFC 8187); null if it cannot be read. */
function decodeExtended(text: string | undefined): string | null {
  const [, charset, coded] = /^(utf-8|iso-8859-1)'[^']*'(.*)$/i.exec(text ?? "") ?? [];
  if (charset === undefined || coded === undefined || /%(?![0-9a-f]{2})|[^\x21-\x7e]/i.test(coded)) return null;
  const latin1 = coded.replace(/%(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  return charset.toLowerCase() === "utf-8"
    ? utf8.decode(Uint8Array.from(latin1, (letter) => letter.charCodeAt(0)))
    : latin1;
}

function bad(what: string): UploadError {
  return new UploadError(
    "bad-part",
    `expected parts that begin like content-disposition: form-data; name="field", one of the form's parts ${what}`,
  );
}
