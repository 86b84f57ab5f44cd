// Which file of a directory a path names: a script for PHP, a file that is sent as it is, or none.
// A path never leads out of the directory: neither by `..` nor by a link. What begins with a dot is not there.

import type { Document, Documents } from "../platform/ports.ts";
import type { CgiScript } from "../wire/cgi_variables.ts";
import { typeOf } from "./static_file.ts";

/** What a path names. */
export type Named =
  /** A script, and the variables that name it. */
  | { readonly kind: "script"; readonly script: CgiScript }
  /** A file that is sent as it is. */
  | { readonly kind: "file"; readonly document: Document; readonly type: string }
  /** A directory without its last slash. */
  | { readonly kind: "directory" }
  | { readonly kind: "nothing" };

const NOTHING: Named = { kind: "nothing" };

/** The names of scripts end so. Others are never passed to PHP, and these are never sent as they are. */
const SCRIPT_ENDING = ".php";

/** The one name with a dot that clients may ask for (RFC 8615). */
const WELL_KNOWN = ".well-known";

const encoder = new TextEncoder();

/** A directory with the scripts and files of a site. */
export class DocumentRoot {
  /** Without links. */
  #root: string;
  #index: string;
  #documents: Documents;

  /**
   * @param root an existing directory
   * @param index the script that stands for a directory, and for everything that is not there
   * @param documents finds files
   */
  constructor(root: string, index: string, documents: Documents) {
    this.#root = (documents.find(root)?.path ?? root).replace(/\/$/, "");
    this.#index = index;
    this.#documents = documents;
  }

  /**
   * Finds what a path names. A script may be followed by more of a path, which is for the script.
   *
   * @param path decoded, one character a byte, with its first slash
   * @returns what it names; for a path of nothing the script in the root, if there is one
   */
  find(path: string): Named {
    const text = textOf(path);
    const names = text === null ? null : namesIn(text);
    if (names === null) return NOTHING;
    for (const [i, name] of names.entries()) {
      if (!name.endsWith(SCRIPT_ENDING)) continue;
      const script = this.#scriptAt(names.slice(0, i + 1));
      if (script === null) continue;
      const rest = names.slice(i + 1).map((name) => `/${name}`).join("");
      return this.#script(script, names.slice(0, i + 1), path.endsWith("/") ? `${rest}/` : rest);
    }
    const document = this.#inside(names);
    if (document?.kind === "directory") {
      const index = [...names, this.#index];
      const script = this.#scriptAt(index);
      if (script !== null) return path.endsWith("/") ? this.#script(script, index, "") : { kind: "directory" };
    } else if (document?.kind === "file" && !path.endsWith("/")) {
      const type = isScript(document.path) ? null : typeOf(document.path);
      if (type !== null) return { kind: "file", document, type };
    }
    const main = this.#scriptAt([this.#index]);
    return main === null ? NOTHING : this.#script(main, [this.#index], "");
  }

  /** The script at a path, without links; null if there is none. */
  #scriptAt(names: readonly string[]): string | null {
    const document = this.#inside(names);
    return document?.kind === "file" && isScript(document.path) ? document.path : null;
  }

  /** What stands at a path in the directory, links followed; null if that is outside. */
  #inside(names: readonly string[]): Document | null {
    const document = this.#documents.find([this.#root, ...names].join("/"));
    if (document === null) return null;
    const isInside = document.path === this.#root || document.path.startsWith(`${this.#root}/`);
    // A link may lead to what has another name here.
    const isShown = namesIn(document.path.slice(this.#root.length)) !== null;
    return isInside && isShown ? document : null;
  }

  #script(file: string, names: readonly string[], pathInfo: string): Named {
    const script: CgiScript = {
      scriptName: bytesOf(`/${names.join("/")}`),
      pathInfo: bytesOf(pathInfo),
      more: [
        ["SCRIPT_FILENAME", bytesOf(file)],
        ["DOCUMENT_ROOT", bytesOf(this.#root)],
        ["REDIRECT_STATUS", "200"], // php-cgi asks for it, to be sure that no client calls it.
      ],
    };
    return { kind: "script", script };
  }
}

function isScript(path: string): boolean {
  return path.toLowerCase().endsWith(SCRIPT_ENDING);
}

/** The names in a path. Null if one cannot be that of a file for clients: `..`, a hidden file, a backslash or a NUL in it. */
function namesIn(text: string): string[] | null {
  if (/[\\\0]/.test(text)) return null;
  const names = text.split("/").filter((name) => name !== "");
  return names.every((name) => !name.startsWith(".") || name === WELL_KNOWN) ? names : null;
}

/** The text of UTF-8 with one character a byte; null if it is not UTF-8. */
function textOf(path: string): string | null {
  // deno-lint-ignore no-control-regex -- ASCII needs no decoding
  if (/^[\x00-\x7f]*$/.test(path)) return path;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(path, (sign) => sign.charCodeAt(0)),
    );
  } catch {
    return null;
  }
}

/** UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return Array.from(encoder.encode(text), (octet) => String.fromCharCode(octet)).join("");
}
