// Which worker uses which processes of an application, and how many connections it may keep.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import type { BackendPool } from "../../src/prefork/backend_pool.ts";
import { BackendPools } from "../../src/prefork/backend_pools.ts";

/** A pool that only notes what it is told. */
interface FakePool {
  socket: string;
  processes: number;
  end: "" | "stopped" | "killed";
}

function pools(processes: number | null): { pools: BackendPools; started: FakePool[] } {
  const started: FakePool[] = [];
  const directories: string[] = [];
  return {
    started,
    pools: new BackendPools({
      directory: "/private",
      processes,
      files: { makePrivateDirectory: (path) => void directories.push(path) },
      start(socket, processes) {
        assert.ok(directories.includes(socket.replace(/\/socket$/, "")), "its directory was made");
        const pool: FakePool = { socket, processes, end: "" };
        started.push(pool);
        const end = (how: "stopped" | "killed") => () => {
          pool.end = how;
          return Promise.resolve();
        };
        const fake = { socket, ready: Promise.resolve(), stop: end("stopped"), kill: end("killed") };
        return fake as unknown as BackendPool;
      },
    }),
  };
}

Deno.test("Workers of one generation share processes, and each may keep its share of connections", () => {
  const { pools: all, started } = pools(5);
  const seats = [1, 2, 3].map((nr) => all.join(nr, { nr, generation: 1, workers: 3 }).seat);
  assert.deepEqual(seats.map(({ permits }) => permits), [2, 2, 1]);
  assert.deepEqual(started.map(({ socket, processes }) => [socket, processes]), [["/private/1/socket", 5]]);
});

Deno.test("Without a number there are as many processes as workers", () => {
  const { pools: all, started } = pools(null);
  assert.equal(all.join(1, { nr: 1, generation: 1, workers: 3 }).seat.permits, 1);
  assert.equal(all.join(2, { nr: 1, generation: 2, workers: 4 }).seat.permits, 1);
  assert.deepEqual(started.map(({ processes }) => processes), [3, 4]);
});

Deno.test("No worker keeps a connection if there are fewer processes than workers", () => {
  const { pools: all, started } = pools(2);
  const seats = [1, 2, 3, 4].map((nr) => all.join(nr, { nr, generation: 1, workers: 3 }).seat);
  assert.deepEqual(seats.map(({ permits }) => permits), [null, null, null, null]);
  assert.equal(started.length, 1);
});

Deno.test("The permits of all workers are never more than the processes that they are for", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 0, max: 8 }),
    (processes, workers, added) => {
      const { pools: all, started } = pools(processes);
      const permits = new Map<string, number>();
      for (let nr = 1; nr <= workers + added; nr++) {
        const { seat } = all.join(nr, { nr, generation: 1, workers });
        permits.set(seat.socket, (permits.get(seat.socket) ?? 0) + (seat.permits ?? 0));
        assert.ok(seat.permits === null ? processes < workers : seat.permits >= 1);
      }
      for (const { socket, processes } of started) assert.ok((permits.get(socket) ?? 0) <= processes);
    },
  ));
});

Deno.test("Processes end when their generation is over, and not while it serves without a worker", () => {
  const { pools: all, started } = pools(1);
  all.join(1, { nr: 1, generation: 1, workers: 1 });
  all.leave(1, { generation: 1, workers: 1 });
  assert.equal(started[0]?.end, "", "its successor is about to start");
  all.join(2, { nr: 1, generation: 1, workers: 1 });
  all.join(3, { nr: 1, generation: 2, workers: 1 });
  all.leave(2, { generation: 2, workers: 1 });
  assert.deepEqual(started.map(({ end }) => end), ["stopped", ""]);
});

Deno.test("Processes of a generation that has failed end", () => {
  const { pools: all, started } = pools(1);
  all.join(1, { nr: 1, generation: 1, workers: 1 });
  all.join(2, { nr: 1, generation: 2, workers: 1 });
  all.leave(2, { generation: 1, workers: 1 });
  assert.deepEqual(started.map(({ end }) => end), ["", "stopped"]);
});

Deno.test("At the end all processes end, at once if that is wanted", async () => {
  for (const isNow of [false, true]) {
    const { pools: all, started } = pools(2);
    for (const nr of [1, 2, 3]) all.join(nr, { nr, generation: 1, workers: 1 });
    await all.close(isNow);
    const end = isNow ? "killed" : "stopped";
    assert.deepEqual(started.map((pool) => pool.end), [end, end, end]);
  }
});
