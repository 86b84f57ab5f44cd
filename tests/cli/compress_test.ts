// --compress, in one process and in workers.

import assert from "node:assert/strict";
import { start, unixTest } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";
import { supervise } from "../helpers/supervised.ts";

const APP_TEXT = 'export default { fetch: () => new Response("x".repeat(1000)) };\n';

/** The coding and the length of an answer, as they stand on the wire. */
async function codingOf(url: string): Promise<[coding: string, length: number]> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const request = "GET / HTTP/1.1\r\nhost: a\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n";
  await conn.write(new TextEncoder().encode(request));
  const text = await new Response(conn.readable).text();
  return [/content-encoding: (\w+)/.exec(text)?.[1] ?? "none", Number(/content-length: (\d+)/.exec(text)?.[1])];
}

unixTest("Answers are compressed with --compress, and only then", async () => {
  const directory = await Deno.makeTempDir();
  const app = `${directory}/app.${runtime.ending}`;
  await Deno.writeTextFile(app, APP_TEXT);
  {
    await using plain = start(["-p", "0", app]);
    assert.deepEqual(await codingOf(await plain.url()), ["none", 1000]);
    await using one = start(["-p", "0", "--compress", app]);
    const [coding, length] = await codingOf(await one.url());
    assert.equal(coding, "gzip");
    assert.ok(length < 100);
    await using many = await supervise(["-w", "1", "--compress", app]);
    await many.atStrength(1);
    assert.equal((await codingOf(await many.url()))[0], "gzip");
  }
  await Deno.remove(directory, { recursive: true });
});
