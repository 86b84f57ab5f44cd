// What the program puts in the place of Node's Request, Response and fetch() passes for the real thing, also where Node keeps
// its state in private fields.

import assert from "node:assert/strict";
import { nodeTest, startOn } from "../helpers/npm_package.ts";

/** Each path is a case; it answers "ok", or what is wrong. */
const APP = `import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

const words = "words ".repeat(200);
const peer = createServer((request, response) => {
  if (request.url === "/gzip") {
    const bytes = gzipSync(words);
    response.setHeader("content-encoding", "gzip").setHeader("content-length", bytes.length).end(bytes);
    return;
  }
  let text = "";
  request.on("data", (piece) => text += piece).on("end", () => response.end(\`\${request.method} \${request.headers["x-a"]} \${text}\`));
});
await new Promise((resolve) => peer.listen(0, "127.0.0.1", resolve));
peer.unref();
const url = \`http://127.0.0.1:\${peer.address().port}\`;
const say = (...facts) => new Response(facts.every(Boolean) ? "ok" : \`wrong: \${facts}\`);

const cases = {
  async "/classes"(request) {
    class Own extends Response {}
    const fetched = await fetch(url + "/plain");
    const made = new Response("words");
    return say(
      made instanceof Response, fetched instanceof Response, request instanceof Request, request.headers instanceof Headers,
      new Own() instanceof Own, !(fetched instanceof Own), made.constructor === Response, Response.name === "Response",
      Response.json(1) instanceof Response, Response.redirect(url) instanceof Response, Response.error() instanceof Response,
      new Request(url) instanceof Request, Request.name === "Request",
      Object.prototype.toString.call(made) === "[object Response]",
    );
  },
  async "/getters"(request) {
    return say(
      request.cache === "default", request.mode !== undefined, request.redirect === "follow", request.integrity === "",
      request.destination === "", request.duplex === "half", request.signal instanceof AbortSignal,
    );
  },
  async "/fetch"(request) {
    const text = await (await fetch(new Request(url + "/echo", request))).text();
    return say(text === "POST 1 words");
  },
  async "/copy"(request) {
    const copy = new Request(request);
    return say(copy.method === "POST", copy.headers.get("x-a") === "1", await copy.text() === "words", copy.url === request.url);
  },
  async "/clone"(request) {
    const clone = request.clone();
    return say(await clone.text() === "words", await request.text() === "words", request.bodyUsed);
  },
  async "/init"(request) {
    return say(await (await fetch(url + "/echo", { method: "PUT", headers: request.headers, body: await request.text() })).text() === "PUT 1 words");
  },
  async "/disturbed"() {
    const partly = async () => {
      const stream = new Blob(["words"]).stream().pipeThrough(new TransformStream());
      const reader = stream.getReader();
      await reader.read();
      reader.releaseLock();
      return stream;
    };
    const stream = await partly();
    let refused = false;
    try {
      new Response(stream);
    } catch (error) {
      refused = error instanceof TypeError;
    }
    const later = new Blob(["words"]).stream();
    const made = new Response(later);
    const reader = later.getReader();
    await reader.read();
    reader.releaseLock();
    return say(refused, made.bodyUsed);
  },
  "/gzip": () => fetch(url + "/gzip"),
  async "/stream"() {
    return new Response((await fetch(url + "/gzip")).body);
  },
  "/json": () => Response.json({ a: 1 }),
  "/late"() {
    const response = new Response("words");
    response.headers.set("x-late", "1");
    return response;
  },
};

export default { fetch: (request) => cases[new URL(request.url).pathname](request) };
`;

/** With the program's classes, and with those of Node. */
const WAYS: Readonly<Record<string, string[]>> = { "fast globals": [], "Node's own": ["--no-fast-globals"] };

/** Registers the tests of the program's Request, Response and fetch(). */
export function globalsTests(): void {
  for (const [what, flags] of Object.entries(WAYS)) {
    nodeTest(`An application gets along with Request, Response and fetch: ${what}`, async (own, version) => {
      own.write("globals.js", APP);
      await using program = startOn(own, version, ["-p", "0", ...flags, "globals.js"]);
      const url = await program.url();
      const post = { method: "POST", headers: { "x-a": "1", "content-type": "text/plain" }, body: "words" };
      for (const path of ["/classes", "/getters", "/fetch", "/copy", "/clone", "/init", "/disturbed"]) {
        assert.equal(await (await fetch(url + path, post)).text(), "ok", path);
      }
      const words = "words ".repeat(200);
      for (const path of ["/gzip", "/stream"]) assert.equal(await (await fetch(url + path)).text(), words, path);
      const json = await fetch(`${url}/json`);
      assert.equal(json.headers.get("content-type"), "application/json");
      assert.deepEqual(await json.json(), { a: 1 });
      const late = await fetch(`${url}/late`);
      assert.equal(late.headers.get("x-late"), "1");
      assert.equal(await late.text(), "words");
      if (flags.length === 0) assert.equal(late.headers.get("content-length"), "5");
    });
  }
}
