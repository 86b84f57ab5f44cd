// How a supervisor and its workers stop, and with which code.

import assert from "node:assert/strict";
import { hasProgram, linuxTest, unixTest } from "../helpers/program.ts";
import { supervise, type Supervised, WORKERS_APP } from "../helpers/supervised.ts";

const encoder = new TextEncoder();
const hasSetsid = await hasProgram("setsid");

async function dumpOf(program: Supervised): Promise<string> {
  const reply = await program.ask({ ask: "dump" });
  return reply.ok && "text" in reply ? reply.text : "";
}

/** Sends a request, and waits until the application has it. */
async function begin(program: Supervised, path: string): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: await program.port() });
  await connection.write(encoder.encode(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`));
  while (!(await dumpOf(program)).includes(path));
  return connection;
}

async function readUntil(connection: Deno.Conn, wanted: string): Promise<void> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes(wanted)) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`ended before ${wanted}: ${text}`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

unixTest("TERM lets 30 streams and 10 uploads finish, and the last line counts them", async () => {
  await using program = await supervise(["-w", "2", WORKERS_APP]);
  const port = await program.port();
  await program.atStrength(2);
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const streams = await Promise.all(Array.from({ length: 30 }, async () => {
    const connection = await connect();
    await connection.write(
      encoder.encode("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n"),
    );
    await readUntil(connection, "begun");
    return connection;
  }));
  const uploads = await Promise.all(Array.from({ length: 10 }, async () => {
    const connection = await connect();
    await connection.write(encoder.encode("POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nbegun"));
    return connection;
  }));
  while ([...(await dumpOf(program)).matchAll(/POST +\/count +5\/100000/g)].length < 10);
  program.kill("SIGTERM");
  await program.waitFor(/\[INFO\] SIGTERM: stopping; connections open: \d+; send it again/);
  while ((await program.status()).workers.some(({ state }) => state !== "draining"));
  const rest = new Uint8Array(99_995);
  const ends = await Promise.all([
    ...streams.map(async (connection) => {
      await connection.write(encoder.encode("5\r\nended\r\n0\r\n\r\n"));
      return await new Response(connection.readable).text();
    }),
    ...uploads.map(async (connection) => {
      for (let at = 0; at < rest.length;) at += await connection.write(rest.subarray(at));
      return await new Response(connection.readable).text();
    }),
  ]);
  for (const text of ends.slice(0, 30)) assert.match(text, /ended\r\n0\r\n\r\n$/);
  for (const text of ends.slice(30)) assert.match(text, /\r\n\r\n100000\n$/);
  const { code, stderr } = await program.ended;
  assert.equal(code, 0);
  assert.match(stderr, /\[INFO\] stopped; connections finished: 40, cut: 0, refused: 0\n$/);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  unixTest(`A second ${signal} ends all processes at once with ${code}`, async () => {
    await using program = await supervise(["-w", "2", WORKERS_APP]);
    await program.atStrength(2);
    using _held = await begin(program, "/never");
    program.kill(signal);
    await program.waitFor(new RegExp(`${signal}: stopping`));
    program.kill(signal);
    const ended = await program.ended;
    assert.equal(ended.code, code);
    assert.match(ended.stderr, /connections finished: 0, cut: 1, refused: 0\n$/);
  });
}

unixTest("A stop that has to kill a worker that hangs is no clean one", async () => {
  await using program = await supervise(["-w", "1", "--worker-timeout", "1", WORKERS_APP]);
  await program.atStrength(1);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: await program.port() });
  await connection.write(encoder.encode("GET /loop HTTP/1.1\r\nhost: x\r\n\r\n"));
  program.kill("SIGTERM");
  const { code, stderr } = await program.ended;
  connection.close();
  assert.match(stderr, /hangs; requests in flight: GET \/loop\n/);
  assert.equal(code, 143);
});

unixTest("What a reload had to cut does not make a later stop unclean", async () => {
  await using program = await supervise(["-w", "1", "--graceful-timeout", "200ms", WORKERS_APP]);
  await program.atStrength(1);
  using _held = await begin(program, "/never");
  assert.ok((await program.ask({ ask: "reload" })).ok);
  await program.waitFor(/left \(reload\)/);
  const { code, stderr } = await program.stop();
  assert.equal(code, 0);
  assert.match(stderr, /connections finished: 0, cut: 1, refused: 0\n$/);
});

if (hasSetsid) {
  linuxTest("Ctrl-C, which every process of the group gets, is one graceful stop", async () => {
    await using program = await supervise(["-w", "2", WORKERS_APP], { wrapper: ["setsid"] });
    const port = await program.port();
    await program.atStrength(2);
    using uploading = await Deno.connect({ hostname: "127.0.0.1", port });
    await uploading.write(encoder.encode("POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nbegun"));
    while (!/POST +\/count/.test(await dumpOf(program)));
    Deno.kill(-program.pid, "SIGINT");
    await program.waitFor(/SIGINT: stopping/);
    const rest = new Uint8Array(99_995);
    for (let at = 0; at < rest.length;) at += await uploading.write(rest.subarray(at));
    assert.match(await new Response(uploading.readable).text(), /\r\n\r\n100000\n$/);
    const { code, stderr } = await program.ended;
    assert.equal(code, 0);
    assert.match(stderr, /connections finished: 1, cut: 0, refused: 0\n$/);
  });
}

unixTest(
  "With a drain delay the health path says 503 after TERM while new clients are served; reloads do not wait",
  async () => {
    await using program = await supervise(["-w", "2", "--drain-delay", "1h", "--health", "/healthz", WORKERS_APP]);
    const url = await program.url();
    await program.atStrength(2);
    const before = await fetch(`${url}/healthz`, { headers: { connection: "close" } });
    assert.deepEqual([before.status, await before.text()], [200, "serving\n"]);
    assert.ok((await program.ask({ ask: "reload" })).ok);
    await program.atStrength(2);
    program.kill("SIGTERM");
    await program.waitFor(/SIGTERM: stopping/);
    while ((await program.status()).workers.some(({ state }) => state !== "draining"));
    for (let i = 0; i < 4; i++) {
      const health = await fetch(`${url}/healthz`);
      // The order to drain may still be on its way.
      if (await health.text() === "serving\n") i = -1;
      else assert.equal(health.status, 503);
    }
    assert.match(await (await fetch(url)).text(), /^\d+$/);
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 143);
  },
);

unixTest("A watcher of an upload that has not begun holds up no stop", async () => {
  await using program = await supervise(["-w", "1", "--upload-progress", WORKERS_APP]);
  const url = await program.url();
  const waiting = await fetch(`${url}/?progress_id=never-comes`, { headers: { accept: "text/event-stream" } });
  const events = waiting.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await events.read()).value ?? "", /"state":"starting"/);
  const { code, stderr } = await program.stop();
  assert.equal(code, 0);
  assert.match(stderr, /cut: 0, refused: 0\n$/);
  await events.cancel();
});

unixTest("A log that cannot be written ends nothing", async () => {
  await using program = await supervise(["-w", "1", WORKERS_APP], { shell: "exec 2>/dev/full" });
  const url = await program.url();
  for (let i = 0; i < 3; i++) assert.equal((await fetch(`${url}/throw`)).status, 500);
  const { ok } = await program.ask({ ask: "reload" });
  assert.ok(ok);
  assert.equal((await program.stop()).code, 0);
});
