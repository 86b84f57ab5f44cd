// A real site in PHP behind PHP-FPM: pages, uploads, streams, and files beside the scripts.

import assert from "node:assert/strict";
import { front } from "../helpers/fastcgi_front.ts";
import { php, PHP_SITE, phpTest } from "../helpers/fastcgi_programs.ts";

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

phpTest("A page sees its script, its path and its query, and sets cookies", async () => {
  await using app = await php();
  await using server = front({ address: app.address, root: PHP_SITE });
  const response = await fetch(`${server.url}/index.php/some%20path?a=b`, { headers: { "x-thing": "1" } });
  const lines = (await response.text()).split("\n");
  for (
    const line of [
      `SCRIPT_FILENAME=${PHP_SITE}/index.php`,
      `DOCUMENT_ROOT=${PHP_SITE}`,
      "SCRIPT_NAME=/index.php",
      "PATH_INFO=/some path",
      "PHP_SELF=/index.php/some path",
      "REQUEST_URI=/index.php/some%20path?a=b",
      "QUERY_STRING=a=b",
      "HTTP_X_THING=1",
      "REMOTE_ADDR=127.0.0.1",
    ]
  ) assert.ok(lines.includes(line), `${line} in\n${lines.join("\n")}`);
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  const front_ = await fetch(`${server.url}/articles/17`);
  assert.match(await front_.text(), /\nREQUEST_URI=\/articles\/17\n/);
});

phpTest("Files beside the scripts are sent as they are", async () => {
  await using app = await php();
  await using server = front({ address: app.address, root: PHP_SITE });
  const response = await fetch(`${server.url}/style.css`);
  assert.deepEqual([await response.text(), response.headers.get("content-type")], [
    "p {\n  color: red;\n}\n",
    "text/css; charset=utf-8",
  ]);
});

for (const body of ["whole", "stream"] as const) {
  phpTest(`Uploads arrive byte for byte, with a length and in chunks, when the policy is ${body}`, async () => {
    await using app = await php();
    await using server = front({ address: app.address, root: PHP_SITE }, { body });
    const url = `${server.url}/upload.php`;
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 13 + (i >> 9));
    const digest = await digestOf(bytes);
    const headers = { "content-type": "application/octet-stream" };
    const whole = await fetch(url, { method: "POST", body: bytes, headers });
    assert.equal(await whole.text(), `3000000 ${digest}\n`);
    const chunked = await fetch(url, { method: "POST", body: new Blob([bytes]).stream(), headers });
    assert.equal(await chunked.text(), `3000000 ${digest}\n`);
    const form = new FormData();
    form.append("one", new File([bytes], "one.bin"));
    form.append("two", new File([bytes.subarray(0, 100)], "two.bin"));
    const [first, second] = (await (await fetch(url, { method: "POST", body: form })).text()).split("\n");
    assert.equal(first, `one one.bin 3000000 ${digest}`);
    assert.equal(second, `two two.bin 100 ${await digestOf(bytes.slice(0, 100))}`);
  });
}

phpTest("A part that a script has flushed arrives before the rest is written", async () => {
  await using app = await php();
  await using server = front({ address: app.address, root: PHP_SITE });
  using client = await server.connect();
  await client.ask("GET", `/stream.php?gate=${app.gate}`);
  await client.until("first\n");
  Deno.writeTextFileSync(app.gate, "");
  await client.until("second\n\r\n0\r\n\r\n");
});

phpTest("A script's failure is its own answer, and its message is in the log", async () => {
  await using app = await php();
  await using server = front({ address: app.address, root: PHP_SITE });
  const response = await fetch(`${server.url}/failing.php`);
  assert.deepEqual([response.status, await response.text()], [500, "failed\n"]);
  assert.match(await server.heard(/a message for the log/), /^WARN backend unix:.*a message for the log/);
});
