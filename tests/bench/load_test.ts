// The benchmark's loads, as processes against a real server: they count what was answered, and errors if it was not.

import assert from "node:assert/strict";
import { RunningLoad } from "../../scripts/bench/load.ts";
import type { Load, LoadResult } from "../../scripts/bench/loads/job.ts";
import { isInstalled } from "../../scripts/bench/process.ts";

const request = { method: "GET", path: "/" } as const;
const loads: Load[] = [
  { kind: "gets", connections: 4, perSecond: 400 },
  { kind: "upload", mib: 1, connections: 1 },
  { kind: "download", mib: 1 },
  { kind: "events", connections: 2 },
];
if (await isInstalled("wrk")) loads.push({ kind: "wrk", request, connections: 2 });
else console.log("wrk is not installed: its reports are not tested");

/** How long each load runs. */
const SECONDS = 1;

type Handler = (request: Request) => Response | Promise<Response>;

async function loadOn(load: Load, handler: Handler): Promise<LoadResult> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  await using running = await RunningLoad.start({ ...load, port: server.addr.port, seconds: SECONDS });
  return await running.run();
}

async function answer(request: Request): Promise<Response> {
  if (request.method === "POST") return new Response(String((await request.bytes()).length));
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/bytes/")) return new Response(new Uint8Array(Number(pathname.slice(7))));
  if (pathname !== "/events") return new Response("Hello, World!");
  let timer: ReturnType<typeof setInterval>;
  return new Response(
    new ReadableStream<string>({
      start(controller) {
        timer = setInterval(() => controller.enqueue("data: {}\n\n"), 10);
      },
      cancel: () => clearInterval(timer),
    }).pipeThrough(new TextEncoderStream()),
  );
}

for (const load of loads) {
  Deno.test(`The load ${load.kind} counts what was answered`, async () => {
    const { done, seconds, errors } = await loadOn(load, answer);
    assert.deepEqual(errors, []);
    assert.ok(done > 0 && seconds > 0, JSON.stringify({ done, seconds }));
    // So many are due in the time that was asked for, and on each connection one more by rounding. The run itself may end sooner:
    // a timer fires up to a millisecond early.
    if ("perSecond" in load) assert.ok(done <= load.perSecond * SECONDS + load.connections, `${done} requests`);
  });
}

for (const load of loads.filter(({ kind }) => kind !== "events")) {
  Deno.test(`The load ${load.kind} reports an error if an answer is not 2xx`, async () => {
    let asked = 0;
    const { errors } = await loadOn(load, async (request) => {
      await request.body?.pipeTo(new WritableStream());
      return load.kind === "wrk" && asked++ % 2 === 0 ? new Response("Hello") : new Response("no", { status: 503 });
    });
    assert.match(errors.join(), load.kind === "wrk" ? /^\d+ x status$/ : /503/);
  });
}

Deno.test("The load gets asks again if a request may fail, and counts it as failed", async () => {
  // Each connection is closed after its second answer without a word, so the third request on it is lost.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(4096);
      for (let left = 2; left > 0 && await conn.read(buffer) !== null; left--) {
        await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
      }
      conn.close();
    }
  };
  const serving = serve();
  const job = { kind: "gets", connections: 1, perSecond: 50, port: listener.addr.port, seconds: 1 } as const;
  {
    await using running = await RunningLoad.start({ ...job, mayFail: true });
    const { done, failed = 0, errors } = await running.run();
    assert.deepEqual(errors, []);
    assert.ok(done > 2 && failed > 0, JSON.stringify({ done, failed }));
  }
  {
    await using running = await RunningLoad.start(job);
    assert.equal((await running.run()).errors.length, 1);
  }
  listener.close();
  await serving;
});
