// Every difference between Deno.serve and Weft on the wire is in the table of docs/http-behaviour.md, and is as it says there.

import assert from "node:assert/strict";
import { besideDenoTest, type ComparedAnswer, servedByBoth, type SharedHandler } from "../helpers/beside_deno.ts";

/** What a row of the table compares: the status, the reason phrase, the text of the body, the URL, or a field of the answer. */
type Look = "status" | "reason" | "body" | "url" | `field ${string}`;

/** A request, and what is looked at in its answer. */
interface Case {
  readonly request: string;
  readonly look: Look;
}

const HOST = "host: a\r\n";

function get(target: string, fields = HOST, version = "HTTP/1.1"): string {
  return `GET ${target} ${version}\r\n${fields}\r\n`;
}

/** The rows of the table, by their first column. */
const CASES: Record<string, Case> = {
  "a line that ends with LF alone": { request: `GET / HTTP/1.1\n${HOST}\r\n`, look: "status" },
  "HTTP/1.1 without Host": { request: get("/", ""), look: "status" },
  "`Host: a/b`": { request: get("/", "host: a/b\r\n"), look: "status" },
  "`GET /a#b`": { request: get("/a#b"), look: "status" },
  "`Transfer-Encoding: gzip, chunked`": {
    request: `POST / HTTP/1.1\r\n${HOST}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    look: "status",
  },
  "a malformed chunk": {
    request: `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\nz\r\n\r\n`,
    look: "status",
  },
  "`Expect: 200-ok`": { request: get("/", `${HOST}expect: 200-ok\r\n`), look: "status" },
  "CONNECT": { request: `CONNECT a:80 HTTP/1.1\r\n${HOST}\r\n`, look: "status" },
  "TRACE": { request: `TRACE / HTTP/1.1\r\n${HOST}\r\n`, look: "status" },
  "`get` in small letters": { request: `get / HTTP/1.1\r\n${HOST}\r\n`, look: "status" },
  "HTTP/1.2": { request: get("/", HOST, "HTTP/1.2"), look: "status" },
  "HTTP/2.0": { request: get("/", HOST, "HTTP/2.0"), look: "status" },
  "a head of 40,000 bytes": { request: get("/", `${HOST}x: ${"a".repeat(40_000)}\r\n`), look: "status" },
  "a request line of 9,000 bytes": { request: get(`/${"a".repeat(9_000)}`), look: "status" },
  "a refusal": { request: `G@T / HTTP/1.1\r\n${HOST}\r\n`, look: "body" },
  "`Host: A:80`": { request: get("/", "host: A:80\r\n"), look: "url" },
  "`GET /a/../b`": { request: get("/a/../b"), look: "url" },
  "raw UTF-8 in a target": { request: get("/caf\u00e9"), look: "url" },
  "HTTP/1.0 without Host": { request: get("/", "", "HTTP/1.0"), look: "url" },
  "an answer to HTTP/1.0": { request: get("/", "", "HTTP/1.0"), look: "field connection" },
  "a handler that throws": { request: get("/throws"), look: "body" },
  "HEAD, and a Response without a body": {
    request: `HEAD /null HTTP/1.1\r\n${HOST}\r\n`,
    look: "field content-length",
  },
  "HEAD, and a wrong `Content-Length`": {
    request: `HEAD /wrong HTTP/1.1\r\n${HOST}\r\n`,
    look: "field content-length",
  },
  "a `Keep-Alive` field of the handler": { request: get("/keep-alive"), look: "field keep-alive" },
  "`Connection: keep-alive` of a handler": { request: get("/stays"), look: "field connection" },
  "an object that behaves like a Response": { request: get("/like"), look: "status" },
  "101 without an upgrade": { request: get("/101"), look: "status" },
  "the reason phrase of 203": { request: get("/203"), look: "reason" },
  "the reason phrase of 413": { request: get("/413"), look: "reason" },
  "the reason phrase of 422": { request: get("/422"), look: "reason" },
};

/** What both answer alike, to the byte, apart from the date. */
const SAME: readonly string[] = [
  get("/"),
  get("/x?y=%20&z", "host: a:8080\r\n"),
  get("//x//y"),
  get("/a%2e%2e/b"),
  get("http://b/x"),
  get("/stream"),
  get("/length"),
  get("/204"),
  get("/304"),
  get("/418"),
  get("/599"),
  get("/lines"),
  get("/redirect"),
  get("/null"),
  get("/closes"),
  get("/", `${HOST}connection: close\r\n`),
  get("/", `${HOST}connection: upgrade\r\nupgrade: h2c\r\n`),
  get("/fields", `${HOST}cookie: a=1\r\ncookie: b=2\r\nX-A: 1\r\nx-a: 2\r\n`),
  `\r\n${get("/")}`,
  `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  `M-SEARCH / HTTP/1.1\r\n${HOST}\r\n`,
  ...["/", "/stream", "/length", "/204", "/304", "/lines"].map((target) => `HEAD ${target} HTTP/1.1\r\n${HOST}\r\n`),
  ...[
    "content-length: 3\r\n\r\nabc",
    "content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
    "content-length: 0\r\n\r\n",
    "\r\n",
  ]
    .map((rest) => `POST / HTTP/1.1\r\n${HOST}${rest}`),
  `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nt: v\r\n\r\n`,
];

const handler: SharedHandler = async (request) => {
  const { pathname } = new URL(request.url);
  const encoder = new TextEncoder();
  switch (pathname) {
    case "/throws":
      throw new Error("for the test");
    case "/null":
      return new Response(null);
    case "/wrong":
      return new Response("abc", { headers: { "content-length": "10" } });
    case "/keep-alive":
      return new Response("x", { headers: { "keep-alive": "timeout=5" } });
    case "/stays":
      return new Response("x", { headers: { connection: "keep-alive" } });
    case "/closes":
      return new Response("x", { headers: { connection: "close" } });
    case "/like":
      return { status: 200, headers: new Headers(), body: null } as unknown as Response;
    case "/stream":
      return new Response(ReadableStream.from(["a", "b"].map((text) => encoder.encode(text))));
    case "/length":
      return new Response(ReadableStream.from([encoder.encode("ab")]), { headers: { "content-length": "2" } });
    case "/lines":
      return new Response("x", { headers: [["vary", "a"], ["vary", "b"], ["set-cookie", "c"], ["set-cookie", "d"]] });
    case "/redirect":
      return Response.redirect("http://a/x", 307);
    case "/fields":
      return Response.json([...request.headers]);
  }
  const status = /^\/(\d{3})$/.exec(pathname)?.[1];
  if (status !== undefined) return new Response(null, { status: Number(status) });
  return Response.json([request.method, request.url, await request.text()]);
};

function seen(answer: ComparedAnswer | null, look: Look): string {
  if (answer === null) return "closed";
  switch (look) {
    case "status":
    case "reason":
      return `${answer[look]}`;
    case "body":
      return answer.body.trim() || "none";
    case "url":
      return JSON.parse(answer.body)[1].replace(/:\d{4,5}\//, ":PORT/");
    default: {
      const start = `${look.slice("field ".length)}: `;
      return answer.fields.find((field) => field.startsWith(start)) ?? "none";
    }
  }
}

/** The rows of the table: its first three columns, without the marks of code in the second and third. */
async function documented(): Promise<string[][]> {
  const text = await Deno.readTextFile(new URL("../../docs/http-behaviour.md", import.meta.url));
  const section = text.split("\n## Differences from Deno.serve\n")[1] ?? "";
  const rows = section.split("\n## ")[0]!.split("\n").filter((line) => line.startsWith("|")).slice(2);
  return rows.map((row) => {
    const [name = "", deno = "", weft = "", reason = ""] = row.slice(1).split("|").map((cell) => cell.trim());
    assert.ok(reason.length > 10, `${name} has a reason`);
    return [name, deno.replaceAll("`", ""), weft.replaceAll("`", "")];
  });
}

besideDenoTest("What Deno.serve and Weft answer in another way is as the table of differences says", async () => {
  await using both = servedByBoth(handler);
  const found: string[][] = [];
  for (const [name, { request, look }] of Object.entries(CASES)) {
    const { deno, weft } = await both.ask(request);
    found.push([name, seen(deno, look), seen(weft, look)]);
  }
  assert.deepEqual(found, await documented());
  for (const [name, deno, weft] of found) assert.notEqual(deno, weft, `${name} is no difference any more`);
});

besideDenoTest("What is not in the table of differences is answered as Deno.serve does", async () => {
  await using both = servedByBoth(handler);
  for (const request of SAME) {
    const { deno, weft } = await both.ask(request);
    assert.ok(deno !== null, request);
    assert.deepEqual(weft, deno, request);
  }
});
