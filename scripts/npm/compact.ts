// Removes what only readers of the sources need: comments, white space and the names of local variables.

import { minify } from "npm:terser@5";

/** The lines of comment at the head of a module. */
const HEAD = /^(?:\/\/[^\n]*\n)*/;

/**
 * Removes the white space of a module, and its comments except those at the head. Shortens the names of local variables. All
 * other names stay, and most statements have a line of their own.
 *
 * @param text JavaScript
 * @returns JavaScript, with a line break at its end
 */
export async function compactModule(text: string): Promise<string> {
  const { code = "" } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: false,
    // The names of functions, classes and members stay, so that stack traces are useful.
    mangle: { toplevel: false, keep_fnames: true, keep_classnames: true },
    format: { semicolons: false, comments: false },
  });
  return `${HEAD.exec(text)?.[0] ?? ""}${code}\n`;
}

/**
 * Removes the comments and the indentation of a style sheet.
 *
 * @param text CSS, without comments in strings
 * @returns CSS
 */
export function compactStyles(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/\n\s*/g, "\n").trimStart();
}
