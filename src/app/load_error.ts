// Knows: how to tell an application's author why it cannot be served.
// Does not know: who prints it.

/** The application could not be loaded: it is missing, throws, cannot be parsed, or exports nothing that can be served. */
export class AppLoadError extends Error {
  override readonly name = "AppLoadError";
  /** The application as it was asked for. */
  readonly specifier: string;

  /**
   * @param specifier the application as it was asked for
   * @param message what was expected, what came, what to do; several lines
   * @param options the error behind it
   */
  constructor(specifier: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.specifier = specifier;
  }
}

/** A place in a source file. */
interface Place {
  url: string;
  line: number;
  column: number;
}

/**
 * Shows an error from loading a module with the line of source that it points to.
 *
 * @param error what the import threw
 * @param read gives the text of a file, by its URL
 * @param own tells which files are the engine's own and not worth pointing to
 * @returns the message, the place, and the line with a mark under its column where the source can be read
 */
export function showLoadError(error: unknown, read: (url: string) => string, own: (url: string) => boolean): string {
  const text = plain(
    error instanceof Error
      ? `${error.name}: ${error.message}`.replace(/^TypeError: (?=\w*Error: )/, "")
      : `thrown: ${String(error)}`,
  );
  const place = placeOf(error, own);
  if (place === null) return text;
  const { url, line, column } = place;
  const lines = text.includes(`${url}:${line}`) ? [text] : [text, `    at ${url}:${line}:${column}`];
  // A parser's message shows the line itself.
  if (text.includes("\n")) return lines.join("\n");
  const source = sourceLine(place, read);
  if (source !== null) lines.push("", `    ${source}`, `    ${" ".repeat(Math.max(0, column - 1))}^`);
  return lines.join("\n");
}

function placeOf(error: unknown, own: (url: string) => boolean): Place | null {
  if (!(error instanceof Error)) return null;
  const places = plain(`${error.message}\n${error.stack ?? ""}`).matchAll(
    /((?:file|https?):\/\/[^\s()"']+?):(\d+):(\d+)/g,
  );
  for (const [, url, line, column] of places) {
    if (!own(url)) return { url, line: Number(line), column: Number(column) };
  }
  return null;
}

/** Without the colours that Deno puts into messages. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- the escape character is what it looks for
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

function sourceLine({ url, line }: Place, read: (url: string) => string): string | null {
  if (!url.startsWith("file:")) return null;
  try {
    return read(url).split("\n")[line - 1]?.trimEnd() ?? null;
  } catch {
    return null; // The message stands without it: a file that cannot be read is not what went wrong here.
  }
}
