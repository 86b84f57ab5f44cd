// The files of the demo's pages, and what a browser may do with them.
// A file is served under the path that it has in src, so that a module's imports work in both places.

import client from "../progress/client/progress_client.js" with { type: "text" };
import mark from "./mark.svg" with { type: "text" };
import css from "./page.css" with { type: "text" };
import html from "./page.html" with { type: "text" };
import page from "./page.js" with { type: "text" };
import stream from "./stream.js" with { type: "text" };
import table from "./table.js" with { type: "text" };
import thread from "./thread.js" with { type: "text" };

/** Everything comes from here, nothing is inline, and no page may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const JAVASCRIPT = "text/javascript;charset=UTF-8";

/** Path, content and type of each. */
const ASSETS: Readonly<Record<string, readonly [text: string, type: string]>> = {
  "/": [html, "text/html;charset=UTF-8"],
  "/demo/mark.svg": [mark, "image/svg+xml"],
  "/demo/page.css": [css, "text/css;charset=UTF-8"],
  "/demo/page.js": [page, JAVASCRIPT],
  "/demo/stream.js": [stream, JAVASCRIPT],
  "/demo/table.js": [table, JAVASCRIPT],
  "/demo/thread.js": [thread, JAVASCRIPT],
  "/progress/client/progress_client.js": [client, JAVASCRIPT],
};

/**
 * Finds a file of the demo's page.
 *
 * @param pathname the path that was asked for
 * @returns the file, or null if there is none
 */
export function assetAt(pathname: string): Response | null {
  const asset = Object.hasOwn(ASSETS, pathname) ? ASSETS[pathname] : undefined;
  return asset === undefined ? null : answer(...asset);
}

/**
 * Makes a small page in the demo's style.
 *
 * @param title as text that needs no escape
 * @param body lines of HTML
 * @returns the page
 */
export function documentOf(title: string, body: readonly string[]): Response {
  return answer(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/demo/mark.svg">
<link rel="stylesheet" href="/demo/page.css">
<main class="note">
${body.join("\n")}
</main>
</html>
`,
    "text/html;charset=UTF-8",
  );
}

function answer(text: string, type: string): Response {
  return new Response(text, {
    headers: {
      "content-type": type,
      // The files have no version in their names; a demo is not visited often enough to need one.
      "cache-control": "no-cache",
      "content-security-policy": POLICY,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}
