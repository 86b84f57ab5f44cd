// How signals stop the program, what it prints as it goes, and its exit codes.

import assert from "node:assert/strict";
import { canInherit, inheriting } from "../helpers/inherited.ts";
import { firstItems } from "../helpers/items.ts";
import { untilRefused } from "../helpers/refused.ts";
import { type Running, start, unixTest } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";

const APP = fixture("app");

/** Sends requests that are held by the application, and waits until it has them. */
async function hold(program: Running, count: number): Promise<Promise<string>[]> {
  const url = await program.url();
  const answers = Array.from({ length: count }, async () => await (await fetch(`${url}/held`)).text());
  for (const answer of answers) answer.catch(() => {});
  await program.waitFor(new RegExp(`(dispatch GET /held[\\s\\S]*){${count}}`));
  return answers;
}

unixTest("TERM lets what runs finish, refuses what is new, and ends with 0", async () => {
  await using program = start(["-p", "0", "--debug", APP]);
  const url = await program.url();
  const keptOpen = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await keptOpen.write(new TextEncoder().encode("GET /first HTTP/1.1\r\nHost: x\r\n\r\n"));
  await program.waitFor(/dispatch GET \/first/);
  const answers = await hold(program, 3);
  program.kill("SIGTERM");
  await program.waitFor(/\[INFO\] SIGTERM: stopping; connections open: 4/);
  const more = await untilRefused(Number(new URL(url).port));
  // The connection that was kept open is still served, and told that it was the last time.
  await keptOpen.write(new TextEncoder().encode("GET /release HTTP/1.1\r\nHost: x\r\n\r\n"));
  const bytes = await new Response(keptOpen.readable).text();
  assert.match(bytes, /connection: close\r\n\r\nreleased them\n$/);
  assert.deepEqual(await Promise.all(answers), Array(3).fill("released\n"));
  const { code, stderr } = await program.ended;
  assert.equal(code, 0);
  assert.match(stderr, new RegExp(`\\[INFO\\] stopped; connections finished: ${4 + more}, cut: 0, refused: 0\n$`));
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  unixTest(`A second ${signal} stops at once with ${code}`, async () => {
    await using program = start(["-p", "0", "--debug", APP]);
    const [answer] = firstItems(await hold(program, 1), 1);
    program.kill(signal);
    await program.waitFor(new RegExp(`${signal}: stopping`));
    program.kill(signal);
    await assert.rejects(answer);
    const ended = await program.ended;
    assert.equal(ended.code, code);
    assert.match(ended.stderr, /connections finished: 0, cut: 1/);
  });
}

unixTest("The deadline of a graceful stop cuts what still runs and ends with 143", async () => {
  await using program = start(["-p", "0", "--debug", "--graceful-timeout", "200ms", APP]);
  const [answer] = firstItems(await hold(program, 1), 1);
  program.kill("SIGTERM");
  await assert.rejects(answer);
  assert.equal((await program.ended).code, 143);
});

unixTest("QUIT stops gracefully too", async () => {
  await using program = start(["-p", "0", APP]);
  await program.url();
  program.kill("SIGQUIT");
  assert.equal((await program.ended).code, 0);
});

unixTest("With a drain delay the port stays open after TERM, and the health path already says 503", async () => {
  await using program = start(["-p", "0", "--health", "/healthz", "--drain-delay", "1h", APP]);
  const url = await program.url();
  const before = await fetch(`${url}/healthz?probe`);
  assert.deepEqual([before.status, await before.text()], [200, "serving\n"]);
  program.kill("SIGTERM");
  await program.waitFor(/SIGTERM: stopping/);
  const after = await fetch(`${url}/healthz`);
  assert.deepEqual([after.status, await after.text()], [503, "draining\n"]);
  assert.equal(await (await fetch(`${url}/x`)).text(), "hello from /x\n");
  program.kill("SIGTERM");
  assert.equal((await program.ended).code, 143, "a second signal does not wait");
});

const encoder = new TextEncoder();

/** Connects and sends a request; the client's side stays open. */
async function send(port: number, path: string): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(encoder.encode(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
  return connection;
}

/** Everything that comes until the end, or the error. */
async function heard(connection: Deno.Conn): Promise<string> {
  return await new Response(connection.readable).text().catch((error) => `${error}`);
}

for (const [first, others, wrapper] of [[50, 50], [500, 0], [1_500, 1], [500, 10, inheriting(true)]] as const) {
  if (wrapper !== undefined && !canInherit) continue;
  const socket = wrapper === undefined ? "its own socket" : "a socket that was handed over";
  unixTest(
    `TERM answers 20 clients that wait on ${socket} while handlers block the loop for ${first} and ${others} ms`,
    async () => {
      const port0 = wrapper === undefined ? ["-p", "0"] : [];
      await using program = start([...port0, "--debug", APP], { wrapper: wrapper && [...wrapper] });
      const port = Number(new URL(await program.url()).port);
      const connections = [await send(port, `/busy?ms=${first}`)];
      await program.waitFor(/dispatch GET \/busy/);
      connections.push(...await Promise.all(Array.from({ length: 20 }, () => send(port, `/busy?ms=${others}`))));
      program.kill("SIGTERM");
      const answers = await Promise.all(connections.map(heard));
      assert.deepEqual(answers.map((answer) => answer.replace(/^(HTTP\/1\.1 \d+)[^]*?\r\n\r\n/, "$1 ")), [
        ...Array(21).fill("HTTP/1.1 200 was busy\n"),
      ]);
      const { code, stderr } = await program.ended;
      assert.equal(code, 0);
      assert.match(stderr, /\[INFO\] stopped; connections finished: 21, cut: 0, refused: 0\n$/);
    },
  );
}
