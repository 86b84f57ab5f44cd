// Where the program can listen, and what it does when the system is short of something.

import assert from "node:assert/strict";
import { hasProgram, start, unixTest } from "../helpers/program.ts";
import { fixture, runtime } from "../helpers/runtime.ts";

const APP = fixture("app");

unixTest("If the system has no descriptor left, accepting pauses, and goes on when one is free", async () => {
  await using program = start(["-p", "0", APP], { shell: "ulimit -n 60" });
  const port = Number(new URL(await program.url()).port);
  const many = await Promise.all(Array.from({ length: 80 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
  await program.waitFor(/\[WARN\] cannot accept, trying again in 50 ms: .*open files/);
  for (const connection of many) connection.close();
  assert.equal(await answerOf(`http://127.0.0.1:${port}/again`), "hello from /again\n");
});

/** Node cannot leave a client in the queue: it refuses clients until it has seen that others have gone. So one asks again. */
async function answerOf(url: string): Promise<string> {
  const until = Date.now() + 10_000;
  for (;;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (runtime.nodeMajor === null || Date.now() > until) throw error;
    }
  }
}

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

/** Connects so often, and resets each connection at once. */
const RESET = `
use Socket;
my ($port, $count) = @ARGV;
for (1 .. $count) {
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
  connect($s, sockaddr_in($port, INADDR_LOOPBACK)) or die;
  setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) or die;
  close($s);
}
`;

if (await hasProgram("perl")) {
  unixTest("Clients that reset before they are accepted hold up no other client", async () => {
    await using program = start(["-p", "0", "--debug", APP]);
    const port = Number(new URL(await program.url()).port);
    const busy = fetch(`http://127.0.0.1:${port}/busy?ms=300`);
    await program.waitFor(/dispatch GET \/busy/);
    await new Deno.Command("perl", { args: ["-e", RESET, `${port}`, "100"] }).output();
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/after`)).text(), "hello from /after\n");
    assert.equal(await (await busy).text(), "was busy\n");
    assert.doesNotMatch(program.stderr, /WARN/);
  });
}
