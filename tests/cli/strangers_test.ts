// Nothing which comes over the control socket disturbs the service.

import assert from "node:assert/strict";
import { firstItems } from "../helpers/items.ts";
import { unixTest } from "../helpers/program.ts";
import { supervise, WORKERS_APP } from "../helpers/supervised.ts";

const encoder = new TextEncoder();

async function writeAll(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

unixTest(
  "Strangers on the control socket do no harm: garbage, huge lines, silence, and a hundred at once",
  async () => {
    await using program = await supervise(["-w", "1", WORKERS_APP]);
    const url = await program.url();
    await program.atStrength(1);
    const connect = () => Deno.connect({ transport: "unix", path: program.control });
    for (
      const [said, answer] of [
        ["GET / HTTP/1.1\r\n\r\n", /^$/],
        ["x".repeat(1_000_000), /^$/],
        [`${"[".repeat(10_000)}\n`, /^$/],
        ["null\n", /^\{"ok":false,"code":2,"text":"not understood/],
        ['{"ask":"sing"}\n', /not understood/],
        ['{"ask":"scale","by":0.5}\n', /not understood/],
        ['{"kind":"hello","token":"guessed"}\n', /^$/],
        ['{"kind":"ready"}\n{"ask":"stop"}\n', /not understood/],
      ] as const
    ) {
      const connection = await connect();
      // It is shown out while it speaks, or gets a word of explanation.
      const wrote = writeAll(connection, said).catch(() => {});
      const heard = new Response(connection.readable).text().catch(() => "");
      await wrote;
      assert.match(await heard, answer, said.slice(0, 40));
    }
    // The oldest silent connections are closed. One that has a message is heard at once, such as a worker.
    const silent = await Promise.all(Array.from({ length: 100 }, connect));
    for (const connection of silent) await connection.write(encoder.encode("{")).catch(() => {});
    assert.equal((await program.status()).state, "serving");
    assert.ok((await program.ask({ ask: "reload" })).ok);
    // Some ask and do not read.
    const deaf = await Promise.all(Array.from({ length: 20 }, connect));
    for (const connection of deaf) await writeAll(connection, '{"ask":"dump"}\n');
    assert.ok((await program.ask({ ask: "reload" })).ok);
    assert.match(await (await fetch(url)).text(), /^\d+$/);
    const [worker] = firstItems(await program.atStrength(1), 1);
    assert.deepEqual([worker.generation, worker.restarts], [3, 0]);
    for (const connection of [...silent, ...deaf]) connection.close();
    const { code, stderr } = await program.stop();
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /\[ERROR\]/);
  },
);
