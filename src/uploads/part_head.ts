// Knows: what the head of a part says (RFC 7578, section 4): its field, its file's name, its type.
// Does not know: where the part's bytes go.
// Rule: what clients really send is read; what two readers could read in two ways is refused.

import { safeName } from "./file_name.ts";
import { readParameters } from "./parameters.ts";
import { UploadError } from "./upload_error.ts";

/** What a part is. */
export interface PartHead {
  /** The field that it belongs to. */
  readonly field: string;
  /** A safe name made of the file's; null where the part is no file. */
  readonly name: string | null;
  /** True where a form had no file to send: its part is there, with an empty name. */
  readonly isUnnamed: boolean;
  /** The media type that the client says, without parameters. */
  readonly type: string;
}

/** RFC 2046 allows fewer characters; some clients take more, and none of these can be misread. */
const BOUNDARY = /^[!#$%&'()*+,\-./:;<=>?@[\]^_`{|}~0-9A-Za-z ]{0,69}[!#$%&'()*+,\-./:;<=>?@[\]^_`{|}~0-9A-Za-z]$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s;
const MEDIA_TYPE = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,127}\/[!#$%&'*+\-.^_`|~0-9a-z]{1,127}$/;
const OCTETS = "application/octet-stream";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads the boundary out of a request's type.
 *
 * @param contentType the value of content-type, null where there is none
 * @returns the boundary
 * @throws {UploadError} where the body is no form with files, or its boundary cannot be one
 */
export function boundaryOf(contentType: string | null): string {
  const read = readParameters(contentType ?? "");
  if (!/^\s*multipart\/form-data\s*(;|$)/i.test(contentType ?? "")) {
    const came = contentType === null ? "no content-type" : `content-type ${JSON.stringify(contentType.slice(0, 100))}`;
    throw new UploadError("not-multipart", `expected multipart/form-data, got ${came}; send a form with files`, {
      status: 415,
    });
  }
  const boundary = read?.parameters.get("boundary");
  if (boundary !== undefined && BOUNDARY.test(boundary)) return boundary;
  throw new UploadError(
    "bad-boundary",
    "expected a boundary of 1 to 70 characters in the content-type, as in multipart/form-data; boundary=abc; " +
      "let the client set this field itself",
  );
}

/**
 * Reads the head of a part.
 *
 * @param bytes its lines, without the empty one at the end
 * @returns what it says
 * @throws {UploadError} where it is malformed or does not say which field it belongs to
 */
export function readPartHead(bytes: Uint8Array): PartHead {
  let disposition: string | null = null;
  let type: string | null = null;
  // A line that begins with a space goes on with the one before (RFC 5322, section 2.2.3).
  for (const line of decoder.decode(bytes).replace(/\r\n(?=[ \t])/g, "").split("\r\n")) {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined || /[\r\n]/.test(line)) throw bad("has a line that is no field");
    switch (name.toLowerCase()) {
      case "content-disposition":
        if (disposition !== null) throw bad("has two fields content-disposition");
        disposition = value;
        break;
      case "content-type":
        if (type !== null) throw bad("has two fields content-type");
        type = value.split(";", 1)[0].trim().toLowerCase();
        break;
      case "content-transfer-encoding":
        if (!/^\s*(7bit|8bit|binary)\s*$/i.test(value)) throw bad("is encoded for mail; send its bytes as they are");
    }
  }
  if (disposition === null) throw bad("has no field content-disposition");
  const { field, said } = readDisposition(disposition);
  return {
    field,
    name: said === null ? null : safeName(said),
    isUnnamed: said === "",
    type: type !== null && MEDIA_TYPE.test(type) ? type : OCTETS,
  };
}

/** The field's name, and what the client calls its file. */
function readDisposition(text: string): { field: string; said: string | null } {
  const read = readParameters(text);
  if (read === null || read.value !== "form-data") throw bad("has a content-disposition that is no form-data");
  const { parameters } = read;
  const field = parameters.get("name");
  if (field === undefined) throw bad("does not name its field");
  const plain = parameters.get("filename");
  const said = decodeExtended(parameters.get("filename*")) ?? (plain === undefined ? null : unescapeForm(plain));
  return { field: unescapeForm(field), said };
}

/** Browsers escape just these three, and not the percent sign (HTML, "multipart/form-data encoding algorithm"). */
function unescapeForm(text: string): string {
  return text.replace(/%(22|0[AD])/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
}

/** A name in another alphabet, `UTF-8''%e2%82%ac.txt` (RFC 8187); null where it cannot be read. */
function decodeExtended(text: string | undefined): string | null {
  const [, charset, coded] = /^(utf-8|iso-8859-1)'[^']*'(.*)$/i.exec(text ?? "") ?? [];
  if (coded === undefined || /%(?![0-9a-f]{2})|[^\x21-\x7e]/i.test(coded)) return null;
  const latin1 = coded.replace(/%(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  return charset.toLowerCase() === "utf-8"
    ? decoder.decode(Uint8Array.from(latin1, (letter) => letter.charCodeAt(0)))
    : latin1;
}

function bad(what: string): UploadError {
  return new UploadError(
    "bad-part",
    `expected parts that begin like content-disposition: form-data; name="field", one of the form's parts ${what}`,
  );
}
