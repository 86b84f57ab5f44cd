// Knows: where the program can listen, and what it does when the system is short of something.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { runToEnd, start, unixTest } from "../helpers/program.ts";

const APP = fromFileUrl(new URL("../fixtures/app.ts", import.meta.url));

async function ask(path: string): Promise<string> {
  const connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode("GET /u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  return await new Response(connection.readable).text();
}

unixTest("A stale Unix socket is replaced, a live one is not, and the path is free again after the stop", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/weft.sock`;
  try {
    {
      await using killed = start(["--unix", path, APP]);
      assert.equal(await killed.url(), `unix:${path}`);
      assert.match(await ask(path), /hello from \/u\n$/);
      const second = await runToEnd(["--unix", path, APP]);
      assert.equal(second.code, 1);
      assert.match(second.stderr, /^weft: cannot listen on .*weft\.sock: another process listens there; .*--unix\n$/);
    }
    assert.ok((await Deno.lstat(path)).isSocket, "a process that was killed leaves its socket");
    await using program = start(["--unix", path, APP]);
    await program.url();
    assert.match(await ask(path), /hello from \/u\n$/);
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
    await assert.rejects(() => Deno.lstat(path), Deno.errors.NotFound);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

unixTest("A file that is no socket is not touched by --unix", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notes.txt`;
  try {
    await Deno.writeTextFile(path, "precious");
    const { code, stderr } = await runToEnd(["--unix", path, APP]);
    assert.equal(code, 1);
    assert.equal(stderr, `weft: cannot listen on ${path}: it exists and is no socket; choose another --unix\n`);
    assert.equal(await Deno.readTextFile(path), "precious");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

unixTest("Where the system has no descriptor left, accepting pauses, and goes on when one is free", async () => {
  await using program = start(["-p", "0", APP], { shell: "ulimit -n 60" });
  const port = Number(new URL(await program.url()).port);
  const many = await Promise.all(Array.from({ length: 80 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
  await program.waitFor(/\[WARN\] cannot accept, trying again in 50 ms: .*open files/);
  for (const connection of many) connection.close();
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/again`)).text(), "hello from /again\n");
});

unixTest("Beyond --max-connections new clients wait for their turn", async () => {
  await using program = start(["-p", "0", "--max-connections", "2", APP]);
  const port = Number(new URL(await program.url()).port);
  const first = await Promise.all([1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })));
  const third = await Deno.connect({ hostname: "127.0.0.1", port });
  await third.write(new TextEncoder().encode("GET /third HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  await program.waitFor(/\[WARN\] 2 connections are open, the most that are allowed; new ones wait/);
  for (const connection of first) connection.close();
  assert.match(await new Response(third.readable).text(), /hello from \/third\n$/);
});
