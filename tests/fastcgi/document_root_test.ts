// What paths name in a directory with scripts and files, and that none leads out of it. Real files and links.

import assert from "node:assert/strict";
import { DocumentRoot } from "../../src/fastcgi/document_root.ts";
import { denoPlatform } from "../../src/platform/deno.ts";
import { cgiTarget } from "../../src/wire/cgi_variables.ts";
import { answering, responder } from "../helpers/fastcgi_responder.ts";
import { front } from "../helpers/fastcgi_front.ts";
import { headOf } from "../helpers/incoming.ts";
import { unixTest } from "../helpers/program.ts";

/** A site in a temporary directory, with something beside it that is not for clients. */
async function site(
  options: { index?: boolean } = {},
): Promise<{ path: string; find(target: string): string } & Disposable> {
  const base = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "weft-test-" }));
  const path = `${base}/site`;
  const files: Record<string, string> = {
    "site/page.php": "<?php page",
    "site/style.css": "p { color: red }",
    "site/page.php.bak": "<?php copy",
    "site/dump.sql": "secrets",
    "site/.env": "secrets",
    "site/.git/config": "secrets",
    "site/.well-known/ours.txt": "well known",
    "site/blog/index.php": "<?php blog",
    "site/empty/note.txt": "note",
    "site/UPPER.PHP": "<?php upper",
    "site/ä/ö.txt": "umlauts",
    "site/ä/ü.php": "<?php umlaut",
    "site/dir.php/inner.txt": "inner",
    "outside/secret.txt": "secrets",
    "outside/secret.php": "<?php secret",
    "site-beside/secret.txt": "secrets",
  };
  if (options.index !== false) files["site/index.php"] = "<?php index";
  for (const [name, text] of Object.entries(files)) {
    Deno.mkdirSync(`${base}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${base}/${name}`, text);
  }
  if (Deno.build.os !== "windows") {
    Deno.symlinkSync(`${base}/outside`, `${path}/out`);
    Deno.symlinkSync(`${base}/outside/secret.txt`, `${path}/link.txt`);
    Deno.symlinkSync(`${base}/outside/secret.php`, `${path}/link.php`);
    Deno.symlinkSync(`${base}/site-beside/secret.txt`, `${path}/beside.txt`);
    Deno.symlinkSync("style.css", `${path}/inside.css`);
    Deno.symlinkSync("page.php", `${path}/source.txt`);
    Deno.symlinkSync(".env", `${path}/environment.txt`);
    Deno.symlinkSync("loop.txt", `${path}/loop.txt`);
  }
  const root = new DocumentRoot(path, "index.php", await denoPlatform.loadDocuments());
  return {
    path,
    find(target) {
      const named = root.find(cgiTarget(headOf(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)).path);
      if (named.kind === "file") return `file ${named.document.path.slice(path.length)} ${named.type}`;
      if (named.kind !== "script") return named.kind;
      const { scriptName, pathInfo, more } = named.script;
      const variables = Object.fromEntries(more ?? []);
      assert.equal(variables.DOCUMENT_ROOT, path);
      assert.ok(variables.SCRIPT_FILENAME?.startsWith(`${path}/`));
      return `script ${scriptName} ${pathInfo}`.trimEnd();
    },
    [Symbol.dispose]: () => Deno.removeSync(base, { recursive: true }),
  };
}

const NAMED: [target: string, named: string][] = [
  ["/", "script /index.php"],
  ["/page.php", "script /page.php"],
  ["/page.php?a=b", "script /page.php"],
  ["/page.php/more/of%20it/", "script /page.php /more/of it/"],
  ["/page.php/", "script /page.php /"],
  ["//page.php", "script /page.php"],
  ["/blog/", "script /blog/index.php"],
  ["/blog", "directory"],
  ["/blog/index.php/x.php", "script /blog/index.php /x.php"],
  ["/style.css", "file /style.css text/css; charset=utf-8"],
  ["/%73tyle.css", "file /style.css text/css; charset=utf-8"],
  ["/style.css/", "script /index.php"],
  ["/style.css/x.php", "script /index.php"],
  ["/empty/", "script /index.php"],
  ["/empty/note.txt", "file /empty/note.txt text/plain; charset=utf-8"],
  ["/.well-known/ours.txt", "file /.well-known/ours.txt text/plain; charset=utf-8"],
  ["/dir.php/inner.txt", "file /dir.php/inner.txt text/plain; charset=utf-8"],
  ["/nothing.php", "script /index.php"],
  ["/articles/17", "script /index.php"],
  ["/%C3%A4/%C3%B6.txt", "file /ä/ö.txt text/plain; charset=utf-8"],
  ["/%C3%A4/%C3%BC.php", "script /\xc3\xa4/\xc3\xbc.php"],
  ["/page.php.bak", "script /index.php"],
  ["/dump.sql", "script /index.php"],
  ["/UPPER.PHP", "script /index.php"],
];

Deno.test("A path names a script, a file of a known type, or the script in the root", async () => {
  using files = await site();
  for (const [target, named] of NAMED) assert.equal(files.find(target), named, target);
});

const OUTSIDE = [
  "/../outside/secret.txt",
  "/..%2foutside/secret.txt",
  "/%2e%2e/outside/secret.txt",
  "/%2E%2E%2Foutside%2Fsecret.txt",
  "/empty/../../outside/secret.txt",
  "/..",
  "/../site-beside/secret.txt",
  "/..\\outside\\secret.txt",
  "/..%5coutside%5csecret.txt",
  "/./style.css",
  "/.env",
  "/%2eenv",
  "/.git/config",
  "/page.php/../../outside/secret.txt",
  "/../outside/secret.php",
  "/%c0%ae%c0%ae/outside/secret.txt",
  "/%ff",
];

Deno.test("A path that leads out of the directory, or to a hidden file, names nothing", async () => {
  using files = await site();
  for (const target of OUTSIDE) assert.equal(files.find(target), "nothing", target);
  assert.throws(() => files.find("/style.css%00.txt"), /NUL/);
});

unixTest("A link out of the directory, or to what is not shown under its own name, is not followed", async () => {
  using files = await site({ index: false });
  for (
    const target of [
      "/out/secret.txt",
      "/link.txt",
      "/link.php",
      "/out/secret.php",
      "/beside.txt",
      "/source.txt",
      "/environment.txt",
      "/loop.txt",
    ]
  ) {
    assert.equal(files.find(target), "nothing", target);
  }
  assert.equal(files.find("/inside.css"), "file /style.css text/css; charset=utf-8");
});

Deno.test("Without a script in the root, what is not there is answered 404", async () => {
  using files = await site({ index: false });
  await using app = responder(answering("ran"));
  await using server = front({ address: app.address, root: files.path });
  using client = await server.connect();
  for (const target of ["/", "/nothing", "/../outside/secret.txt", "/.env", "/dump.sql"]) {
    assert.equal((await client.get(target)).status, 404, target);
  }
  assert.equal((await client.get("/page.php")).status, 200);
  assert.equal(app.connections, 1);
});

Deno.test("A file is sent as it is, with its type and the time of its last change", async () => {
  using files = await site();
  await using app = responder(answering("not reached"));
  await using server = front({ address: app.address, root: files.path });
  const response = await fetch(`${server.url}/style.css`);
  assert.equal(await response.text(), "p { color: red }");
  const { headers } = response;
  assert.deepEqual(["content-type", "content-length", "x-content-type-options"].map((name) => headers.get(name)), [
    "text/css; charset=utf-8",
    "16",
    "nosniff",
  ]);
  const since = headers.get("last-modified") ?? "";
  const again = await fetch(`${server.url}/style.css`, { headers: { "if-modified-since": since } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  const head = await fetch(`${server.url}/style.css`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "16", ""]);
  const post = await fetch(`${server.url}/style.css`, { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.headers.get("allow"), await post.text()], [
    405,
    "GET, HEAD",
    "",
  ]);
  assert.equal(app.connections, 0);
});

Deno.test("A long file is sent whole", async () => {
  using files = await site();
  const bytes = Uint8Array.from({ length: 1_000_003 }, (_, i) => i * 31 + (i >> 8));
  Deno.writeFileSync(`${files.path}/long.webm`, bytes);
  await using app = responder(answering("not reached"));
  await using server = front({ address: app.address, root: files.path });
  assert.deepEqual(await (await fetch(`${server.url}/long.webm`)).bytes(), bytes);
});

Deno.test("A directory is asked for with its last slash", async () => {
  using files = await site();
  await using app = responder(answering("not reached"));
  await using server = front({ address: app.address, root: files.path });
  using client = await server.connect();
  for (const [target, location] of [["/blog?a=b", "/blog/?a=b"], ["//blog", "/blog/"]] as const) {
    assert.equal((await client.get(target)).status, 301);
    assert.ok(
      client.text.endsWith(`location: ${location}\r\n${client.text.slice(client.text.lastIndexOf("date:"))}`),
      client.text,
    );
  }
});

Deno.test("The script is told to the application", async () => {
  using files = await site();
  let seen: Readonly<Record<string, string>> = {};
  await using app = responder(async (request) => {
    seen = request.variables;
    await answering("ran")(request);
  });
  await using server = front({ address: app.address, root: files.path });
  assert.equal(await (await fetch(`${server.url}/page.php/a%20b?c=d`, { method: "POST", body: "x" })).text(), "ran");
  const { SCRIPT_FILENAME, SCRIPT_NAME, PATH_INFO, DOCUMENT_ROOT, REQUEST_URI, QUERY_STRING, CONTENT_LENGTH } = seen;
  assert.deepEqual(
    [SCRIPT_FILENAME, SCRIPT_NAME, PATH_INFO, DOCUMENT_ROOT, REQUEST_URI, QUERY_STRING, CONTENT_LENGTH],
    [
      `${files.path}/page.php`,
      "/page.php",
      "/a b",
      files.path,
      "/page.php/a%20b?c=d",
      "c=d",
      "1",
    ],
  );
});

Deno.test("A root that is not a directory is refused", () => {
  assert.throws(
    () => front({ address: "h:1", root: "/nowhere/at/all" }),
    /root: expected a directory, got "\/nowhere\/at\/all"/,
  );
});
