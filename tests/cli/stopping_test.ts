// Knows: how signals stop the program, what it prints as it goes, and its exit codes.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { type Running, start, unixTest } from "../helpers/program.ts";

const APP = fromFileUrl(new URL("../fixtures/app.ts", import.meta.url));

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
  await assert.rejects(() => fetch(url), "the port is closed");
  // The connection that was kept open is still served, and told that it was the last time.
  await keptOpen.write(new TextEncoder().encode("GET /release HTTP/1.1\r\nHost: x\r\n\r\n"));
  const bytes = await new Response(keptOpen.readable).text();
  assert.match(bytes, /connection: close\r\n\r\nreleased them\n$/);
  assert.deepEqual(await Promise.all(answers), Array(3).fill("released\n"));
  const { code, stderr } = await program.ended;
  assert.equal(code, 0);
  assert.match(stderr, /\[INFO\] stopped; connections finished: 4, cut: 0, refused: 0\n$/);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  unixTest(`A second ${signal} stops at once with ${code}`, async () => {
    await using program = start(["-p", "0", "--debug", APP]);
    const [answer] = await hold(program, 1);
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
  const [answer] = await hold(program, 1);
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

unixTest("HUP says that there is nothing to reload, and the program serves on", async () => {
  await using program = start(["-p", "0", APP]);
  const url = await program.url();
  program.kill("SIGHUP");
  await program.waitFor(/\[WARN\] HUP reloads workers, and there are none/);
  assert.equal(await (await fetch(`${url}/x`)).text(), "hello from /x\n");
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
