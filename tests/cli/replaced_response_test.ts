// Applications whose library replaces `globalThis.Response` are served by the program and by the library.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { type Running, start } from "../helpers/program.ts";

const fixture = (name: string) => fromFileUrl(new URL(`../fixtures/${name}`, import.meta.url));

const WAYS = {
  "the program": () => start(["-p", "0", "--health", "/health", fixture("replaced_response_app.ts")]),
  "the library, loaded later": () => start([], { program: fixture("replaced_response_library.ts") }),
} satisfies Record<string, () => Running>;

/** What comes back: status, body, and the fields that the case is about. */
const EXPECTED: [path: string, status: number, body: string, fields?: Record<string, string>][] = [
  ["/text", 200, "text", { "content-type": "text/plain;charset=UTF-8" }],
  ["/status", 418, "status", { "x-a": "1", "content-type": "text/plain;charset=UTF-8" }],
  ["/form", 200, "a=1", { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" }],
  ["/typed", 200, "typed", { "content-type": "text/x" }],
  ["/changed", 200, "changed", { "x-changed": "yes" }],
  ["/changed-bytes", 200, "bytes", { "x-changed": "yes", "x-a": "1" }],
  ["/bytes", 200, "bytes"],
  ["/stream", 200, "bytesbytes", { "transfer-encoding": "chunked" }],
  ["/bytes-as-stream", 200, "bytes", { "content-length": "5" }],
  ["/empty", 204, ""],
  ["/json", 200, '{"a":1}', { "content-type": "application/json" }],
  ["/native", 200, "native"],
  ["/clone", 200, "clone"],
  ["/again", 201, "again"],
  ["/subclass", 200, "subclass"],
  ["/look-alike", 200, "look-alike"],
  ["/early", 401, "early"],
  ["/missing", 500, "failed: TypeError"],
];

for (const [way, run] of Object.entries(WAYS)) {
  Deno.test(`Answers of an application that has replaced Response are sent by ${way}`, async () => {
    await using program = run();
    const url = await program.url();
    for (const [path, status, body, fields = {}] of EXPECTED) {
      const response = await fetch(url + path);
      assert.deepEqual([response.status, await response.text()], [status, body], path);
      for (const [name, value] of Object.entries(fields)) {
        const sent = response.headers.get(name)?.replace("; ", ";");
        assert.equal(sent, value, `${name} of ${path}`);
      }
    }
    for (const path of ["/request", "/blob"]) {
      const response = await fetch(url + path, { method: "POST", body: "sent" });
      assert.deepEqual([response.status, await response.text()], [200, "sent"], path);
    }
    assert.doesNotMatch(program.stderr, /ERROR/);
  });
}

Deno.test("Readiness is told by a program whose application has replaced Response", async () => {
  await using program = WAYS["the program"]();
  const response = await fetch(await program.url() + "/health");
  assert.deepEqual([response.status, await response.text()], [200, "serving\n"]);
});
