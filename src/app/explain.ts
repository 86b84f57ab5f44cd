// How to tell an application's author why it could not be loaded.

import { messageOf } from "../platform/log.ts";
import type { Files, SourcePlace } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { shellWord } from "../platform/shell_word.ts";
import type { LoadContext } from "./load_app.ts";
import { configAbove, configurationAbove, nearestFile } from "./own_configuration.ts";
import { localPath, pathOf } from "../platform/specifier.ts";

/** URLs of this package's own modules; an error's place is looked for elsewhere. */
const OWN_ROOT = new URL("../", import.meta.url).href;

/** Deno writes a module's URL into a stack as it is, or decoded: `file:///my app/app.ts`. It depends on the directory. */
const PLACE = /((?:file|https?):\/\/(?:(?!(?:file|https?):\/\/).)+?):(\d+):(\d+)(?=[)"'.,]*(?:\s|$))/g;

/** The position before a place in a stack of CommonJS, which has a path and not a URL. */
const PATH_IN_STACK = /(?<=\()(?=\/[^()\n]+:\d+:\d+\))/g;

/** Files, how the user started this program, and how it was configured. */
export type ExplainContext = Pick<LoadContext, "cwd" | "files" | "program" | "isConfigured">;

/**
 * Explains an error from loading a module: that there is no such file, or with the line of source that it points to, and with
 * what to type if an import map was not read.
 *
 * @param error what the import threw
 * @param url of the application
 * @param context the surroundings
 * @returns several lines
 */
export async function explain(error: unknown, url: string, context: ExplainContext): Promise<string> {
  const path = localPath(url, context.cwd);
  const problem = problemWith(path, context.files);
  if (problem !== null) return problem;
  const hint = error instanceof Error ? await (await platform.process.advice()).look(error, path) : null;
  const shown = showLoadError(error, hint?.place ?? null, context);
  if (hint !== null && hint.advice !== "") return `${shown}\n\n${hint.advice}`;
  return path === null ? shown : shown + await adviceFor(error, path, context);
}

/**
 * Says why a path can name no application, before it is loaded.
 *
 * @param path of the application; null if it is not a file of this machine
 * @param files the files of this machine
 * @returns one line; null if it may be one
 */
export function problemWith(path: string | null, files: Pick<Files, "kindOf">): string | null {
  if (path === null) return null;
  try {
    const kind = files.kindOf(path);
    if (kind === "file") {
      return /\.p[lm]$/.test(path)
        ? `${path} is Perl. Weft serves Perl from a .psgi file: weft myapp.psgi (docs/catalyst.md)`
        : null;
    }
    return kind === "directory" ? `${path} is a directory; name a module in it` : `there is no file ${path}`;
  } catch (error) {
    return `cannot read ${path}: ${messageOf(error)}`;
  }
}

/** The message, the place, and the line with a mark under its column if the source can be read. */
function showLoadError(
  error: unknown,
  found: SourcePlace | null,
  context: Pick<LoadContext, "cwd" | "files">,
): string {
  const text = plain(
    error instanceof Error
      ? `${error.name}: ${error.message}`.replace(/^TypeError: (?=\w*Error: )/, "")
      : `thrown: ${String(error)}`,
  );
  const place = found ?? placeOf(error, context.cwd);
  if (place === null) return text;
  const { url, line, column } = place;
  const lines = text.includes(`${url}:${line}`) ? [text] : [text, `    at ${url}:${line}:${column}`];
  // A parser's message shows the line itself.
  if (text.includes("\n")) return lines.join("\n");
  const source = sourceLine(place, context);
  if (source !== null) lines.push("", `    ${source}`, `    ${" ".repeat(Math.max(0, column - 1))}^`);
  return lines.join("\n");
}

function placeOf(error: unknown, cwd: string): SourcePlace | null {
  if (!(error instanceof Error)) return null;
  const places = plain(`${error.message}\n${error.stack ?? ""}`).replace(PATH_IN_STACK, "file://").matchAll(PLACE);
  const isOwn = (url: string) => [OWN_ROOT, `file://${pathOf(OWN_ROOT, cwd)}`].some((root) => url.startsWith(root));
  for (const [, url = "", line, column] of places) {
    if (!isOwn(url)) return { url, line: Number(line), column: Number(column) };
  }
  return null;
}

/** Without the colours that Deno puts into messages. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- the escape character is what it looks for
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

function sourceLine({ url, line }: SourcePlace, { cwd, files }: Pick<LoadContext, "cwd" | "files">): string | null {
  if (!url.startsWith("file:")) return null;
  const name = url.lastIndexOf("/") + 1;
  // As it is, decoded, or the directories as a URL has them and the name decoded.
  const spellings = [url.slice("file://".length), pathOf(url, cwd), pathOf(url.slice(0, name), cwd) + url.slice(name)];
  for (const path of spellings) {
    try {
      return files.readText(path).split("\n")[line - 1]?.trimEnd() ?? null;
    } catch {
      // The URL is spelled in another way, or the file cannot be read: the message stands without the line.
    }
  }
  return null;
}

/** Tells what to type if a package is not found that the application imports by its bare name. */
async function adviceFor(error: unknown, path: string, context: ExplainContext): Promise<string> {
  const { files, program } = context;
  const message = error instanceof Error ? plain(error.message) : "";
  const isBareImport =
    /not a dependency|Cannot find package|not in import map|not prefixed with|Unable to resolve|Could not find (a matching )?package/i
      .test(
        message,
      );
  if (!isBareImport) return "";
  const advice = await platform.process.advice();
  const own = advice.hasConfigurations ? configurationAbove(path, files) : null;
  if (own !== null && !await context.isConfigured()) {
    const flags = [
      own.config === null ? "--no-config" : `--config ${shellWord(own.config)}`,
      ...own.hasPackages ? ["--node-modules-dir=manual"] : [],
    ];
    return "\n\nThe application has its own configuration, which Deno reads only if it is named. Type:\n" +
      `    ${advice.start(shellWord(program), flags)} ${shellWord(path)}`;
  }
  const name = packageIn(message);
  const manifest = nearestFile(path, ["package.json"], files);
  const config = advice.hasConfigurations ? configAbove(path, files) : null;
  if (manifest !== null && (config === null || manifest.lastIndexOf("/") > config.lastIndexOf("/"))) {
    const isListed = new RegExp(`"${name}"\\s*:`).test(files.readText(manifest));
    return `\n\nThe package is not installed. Type:\n${
      inDirectory(manifest, isListed ? "npm install" : `npm install ${name}`)
    }`;
  }
  if (config !== null) {
    return `\n\nThe configuration ${config} does not name the package. Type:\n${inDirectory(config, advice.add(name))}`;
  }
  return `\n\n${advice.bareImport}`;
}

/** A command to type, in the directory of a file. */
function inDirectory(file: string, command: string): string {
  return `    (cd ${shellWord(file.slice(0, file.lastIndexOf("/")) || "/")} && ${command})`;
}

/** The name of the package that an error is about, without a path in it: `@scope/name` or `name`. */
function packageIn(message: string): string {
  const found = /"((?:@[^/"\s]+\/)?[^/"\s@:]+)[^"\s]*" (?:not a dependency|not in|not prefixed)/.exec(message) ??
    /Cannot find package '([^']+)'/.exec(message);
  return found?.[1] ?? "NAME";
}
