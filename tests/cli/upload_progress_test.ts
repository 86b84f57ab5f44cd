// How the program answers for the uploads of any of its processes.

import assert from "node:assert/strict";
import { itemAt } from "../helpers/items.ts";
import { type Running, runToEnd, start, unixTest } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText } from "../helpers/responses.ts";
import { poll, pollUntil } from "../helpers/uploading.ts";

const APP = fixture("worker_app");
const SIZE = 1_000_000;
/** A poll that another worker answers has to be back within this. */
const POLL_MS = 50;

const where = (url: string) => ({ transport: "tcp" as const, hostname: "127.0.0.1", port: Number(new URL(url).port) });

async function workerOf(client: RawClient): Promise<number> {
  return JSON.parse(bodyText(await client.get("/who"))).worker;
}

/** A connection to each of two workers. The system deals connections out as it likes, so it takes a few. */
async function connectToBoth(url: string): Promise<[RawClient, RawClient]> {
  const first = await RawClient.connect(where(url));
  const taken = await workerOf(first);
  for (;;) {
    const other = await RawClient.connect(where(url));
    if (await workerOf(other) !== taken) return [first, other];
    other[Symbol.dispose]();
  }
}

/** A program with two workers, and a connection to each. */
async function withTwo(
  run: (uploading: RawClient, polling: RawClient, program: Running) => Promise<void>,
): Promise<void> {
  await using program = start(["-w", "2", "-p", "0", "--upload-progress", APP]);
  const url = await program.url();
  await program.waitFor(/worker=2 gen=1 pid=\d+ ready/);
  const [uploading, polling] = await connectToBoth(url);
  using _uploading = uploading;
  using _polling = polling;
  await run(uploading, polling, program);
}

unixTest(
  "A poll that reaches the other worker is answered, while the upload runs and after it",
  () =>
    withTwo(async (uploading, polling) => {
      assert.equal((await poll(polling, "film-0001")).state, "starting");
      await uploading.send(`POST /?progress_id=film-0001 HTTP/1.1\r\nhost: a\r\ncontent-length: ${SIZE}\r\n\r\n`);
      await uploading.send(new Uint8Array(SIZE / 2));
      const halfway = await pollUntil(polling, "film-0001", ({ received }) => received === SIZE / 2);
      assert.equal(halfway.state, "uploading");
      assert.equal(halfway.size, SIZE);
      const times: number[] = [];
      for (let i = 0; i < 20; i++) {
        const asked = performance.now();
        await poll(polling, "film-0001");
        times.push(performance.now() - asked);
      }
      const median = itemAt(times.sort((a, b) => a - b), times.length / 2);
      console.log(`a poll at another worker takes ${median.toFixed(1)} ms, at most ${times.at(-1)!.toFixed(1)} ms`);
      assert.ok(median < POLL_MS, `${median} ms`);
      await uploading.send(new Uint8Array(SIZE / 2));
      await uploading.responses(1);
      const done = await pollUntil(polling, "film-0001", ({ state }) => state !== "uploading");
      assert.deepEqual({ ...done, rate: 0 }, {
        state: "done",
        size: SIZE,
        received: SIZE,
        rate: 0,
        eta: 0,
        aborted: 0,
        status: 200,
      });
    }),
);

unixTest(
  "An upload whose worker is killed is aborted for whoever asks another one",
  () =>
    withTwo(async (uploading, polling, program) => {
      const nr = await workerOf(uploading);
      await uploading.send(`POST /?progress_id=film-0002 HTTP/1.1\r\nhost: a\r\ncontent-length: ${SIZE}\r\n\r\n12345`);
      await pollUntil(polling, "film-0002", ({ received }) => received === 5);
      const [, pid] = await program.waitFor(new RegExp(`worker=${nr} gen=1 pid=(\\d+) ready`));
      Deno.kill(Number(pid), "SIGKILL");
      const { aborted, received } = await pollUntil(polling, "film-0002", ({ state }) => state === "aborted");
      assert.equal(aborted, 1);
      assert.equal(received, 5);
    }),
);

unixTest("One process answers for its own, whatever the body policy is", async () => {
  for (const body of ["auto", "whole", "stream"]) {
    await using program = start(["-p", "0", "--upload-progress", "--body", body, APP]);
    const url = await program.url();
    using uploading = await RawClient.connect(where(url));
    using polling = await RawClient.connect(where(url));
    await uploading.send(`POST /?progress_id=film-0003 HTTP/1.1\r\nhost: a\r\ncontent-length: ${SIZE}\r\n\r\n12345`);
    await pollUntil(polling, "film-0003", ({ received }) => received === 5);
  }
});

Deno.test("A store that is no Redis is refused before anything is served, and its password is not shown", async () => {
  const { code, stderr } = await runToEnd(["--progress-store", "http://me:secret@host", APP]);
  assert.equal(code, 2);
  assert.match(stderr, /^weft: --progress-store: expected redis:\/\/HOST:PORT, got "http:\/\/me:\.\.\.@host"\n$/);
});

unixTest("A worker leaves an application the store that it has chosen for its uploads", async () => {
  const app = fixture("own_store_app");
  await using program = start(["-w", "1", "-p", "0", app]);
  assert.equal(await (await fetch(await program.url())).text(), "its own: true\n");
});
