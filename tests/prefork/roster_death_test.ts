// What becomes of a place whose worker dies, hangs, or has done its share.

import assert from "node:assert/strict";
import { Fleet, saidIn } from "../helpers/fleet.ts";
import { firstItems, itemAt } from "../helpers/items.ts";

Deno.test("A worker that dies is replaced at once, and the log says why it died", () => {
  const fleet = Fleet.serving();
  const [one] = firstItems(fleet.in("ready"), 1);
  const actions = fleet.exit(one, 137, "SIGKILL");
  assert.deepEqual(saidIn(actions), [`ERROR worker=1 gen=1 pid=${1000 + one} ended: signal SIGKILL`]);
  assert.deepEqual(actions.at(-1), { do: "spawn", id: 3, nr: 1, generation: 1, afterMs: 0 });
  assert.equal(fleet.roster.restarts.get(1), 1);
});

Deno.test("One that keeps dying young waits longer each time, as long as the log says", () => {
  let chance = 0;
  // Chance that never comes twice: what is said must be what is done.
  const fleet = Fleet.serving({ workers: 1 }, () => (chance = (chance + 0.37) % 1));
  let [id] = firstItems(fleet.in("ready"), 1);
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    const actions = fleet.exit(id, 1);
    const spawn = actions.find((action) => action.do === "spawn")!;
    waits.push(spawn.afterMs);
    const said = saidIn(actions).map((line) => /is started again in (\d+) ms/.exec(line)?.[1]).filter(Boolean);
    assert.deepEqual(said, spawn.afterMs === 0 ? [] : [`${Math.round(spawn.afterMs)}`]);
    fleet.now += spawn.afterMs;
    [id] = firstItems(fleet.spawnDue(), 1);
  }
  assert.equal(waits[0], 0);
  [100, 200, 400, 800, 1600, 3200, 5000, 5000].forEach((wait, i) => {
    assert.ok(Math.abs(itemAt(waits, i + 1) - wait) <= wait * 0.2, `${waits[i + 1]} is about ${wait}`);
  });
});

Deno.test("One that has lived for ten seconds is replaced at once again", () => {
  const fleet = Fleet.serving({ workers: 1 });
  for (let i = 0; i < 4; i++) {
    fleet.exit(itemAt(fleet.in("ready"), 0), 1);
    fleet.now += 1_000;
    fleet.bringAll();
  }
  fleet.pass(10);
  const actions = fleet.exit(itemAt(fleet.in("ready"), 0), 1);
  assert.equal(actions.find((action) => action.do === "spawn")?.afterMs, 0);
});

Deno.test("A place that was given up owes nothing when it is wanted again", () => {
  const fleet = Fleet.serving({ workers: 2 });
  for (let i = 0; i < 6; i++) {
    fleet.exit(fleet.in("ready").find((id) => fleet.member(id).nr === 2)!, 1);
    fleet.now += 5_000;
    fleet.bringAll();
  }
  fleet.note({ kind: "scale", to: 1 });
  const place = fleet.note({ kind: "scale", to: 2 }).find((action) => action.do === "spawn");
  assert.equal(place?.afterMs, 0);
});

Deno.test("A worker that is not heard of is killed, and its requests in flight are named before", () => {
  const fleet = Fleet.serving({ workerTimeoutMs: 2_000 });
  const [one, two] = firstItems(fleet.in("ready"), 2);
  fleet.pass(1);
  fleet.report(one, { inFlight: ["GET /loop", "POST /upload"] });
  fleet.alive.delete(one);
  const actions = fleet.pass(3);
  const kill = actions.findIndex((action) => action.do === "kill");
  assert.deepEqual(actions[kill], { do: "kill", id: one });
  assert.deepEqual(saidIn(actions.slice(0, kill)), [
    `ERROR worker=1 gen=1 pid=${1000 + one} hangs; requests in flight: GET /loop, POST /upload`,
  ]);
  assert.ok(!fleet.wasTold("kill", two));
  const after = fleet.exit(one, 137, "SIGKILL");
  assert.match(itemAt(saidIn(after), 0), /ended: timeout: its loop has not answered for 2 s$/);
  assert.equal(after.at(-1)?.do, "spawn");
});

Deno.test("A worker timeout of 0 kills no worker", () => {
  const fleet = Fleet.serving({ workerTimeoutMs: 0 });
  fleet.alive.clear();
  fleet.exit(itemAt(fleet.in("ready"), 0), 1);
  fleet.spawnDue();
  fleet.pass(100);
  assert.ok(!fleet.actions.some((action) => action.do === "kill"));
});

for (const standstillMs of [2_500, 60_000]) {
  Deno.test(`A standstill of the supervisor itself for ${standstillMs} ms kills no worker`, () => {
    const fleet = Fleet.serving({ workerTimeoutMs: 2_000 });
    fleet.exit(itemAt(fleet.in("ready"), 0), 1);
    fleet.spawnDue();
    fleet.pass(1);
    fleet.now += standstillMs;
    fleet.tick();
    assert.ok(!fleet.actions.some((action) => action.do === "kill"));
    // It does not make anybody immortal either.
    fleet.alive.clear();
    fleet.pass(4);
    assert.equal(fleet.actions.filter((action) => action.do === "kill").length, 2);
  });
}

Deno.test("What a worker says after it was killed is not heard", () => {
  const fleet = Fleet.serving({ workers: 1 });
  const [one] = firstItems(fleet.in("ready"), 1);
  fleet.note({ kind: "reload", why: "reload", detail: "ctl", ticket: 0 });
  const [dropped] = firstItems(fleet.spawnDue(), 1);
  fleet.note({ kind: "loaded", id: dropped });
  fleet.note({ kind: "reload", why: "reload", detail: "ctl", ticket: 0 });
  assert.ok(fleet.wasTold("kill", dropped));
  for (
    const fact of [
      { kind: "loaded", id: dropped },
      { kind: "ready", id: dropped, drainMs: 1 },
      { kind: "failed", id: dropped, fault: "app", message: "no" },
      { kind: "quiet", id: dropped },
    ] as const
  ) assert.deepEqual(fleet.note(fact), []);
  assert.equal(fleet.member(one).state, "ready", "the one that serves goes on");
});

Deno.test("A worker that has done its share leaves once its successor is ready", () => {
  const fleet = Fleet.serving({ maxRequests: 100 });
  const [one] = firstItems(fleet.in("ready"), 1);
  assert.deepEqual(fleet.report(one, { requests: 99 }), []);
  const [plan] = fleet.report(one, { requests: 100 });
  assert.deepEqual(plan, { do: "spawn", id: 3, nr: 1, generation: 1, afterMs: 0 });
  assert.deepEqual(fleet.report(one, { requests: 101 }), [], "one successor is enough");
  fleet.spawnDue();
  fleet.note({ kind: "loaded", id: 3 });
  assert.ok(!fleet.wasTold("drain", one));
  assert.deepEqual(fleet.ready(3).at(-1), { do: "drain", id: one, why: "max-requests" });
  assert.deepEqual(saidIn(fleet.exit(one)), [
    `INFO worker=1 gen=1 pid=${1000 + one} left (max-requests), requests: 101`,
  ]);
  assert.equal(fleet.roster.restarts.get(1), undefined, "that was no death");
});

Deno.test("Shares differ by chance, up to the jitter", () => {
  const chances = [0, 0.999];
  const fleet = Fleet.serving({ maxRequests: 100, maxRequestsJitter: 50 }, () => chances.shift() ?? 0);
  assert.deepEqual([...fleet.roster.members.values()].map(({ lastRequest }) => lastRequest), [100, 149]);
});

Deno.test("A worker that holds too much memory leaves likewise", () => {
  const fleet = Fleet.serving({ maxRssBytes: 1000 });
  const [one] = firstItems(fleet.in("ready"), 1);
  fleet.report(one, { rssBytes: 1000 });
  const [successor] = firstItems(fleet.bringAll(), 1);
  assert.deepEqual(fleet.actions.at(-1), { do: "drain", id: one, why: "max-rss" });
  assert.equal(fleet.member(successor).nr, 1);
});

Deno.test("A successor that fails leaves the worn one in its place, and is tried again more slowly", () => {
  const fleet = Fleet.serving({ workers: 1, maxRequests: 10 });
  const [one] = firstItems(fleet.in("ready"), 1);
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) {
    const spawn = fleet.report(one, { requests: 10 }).find((action) => action.do === "spawn")!;
    waits.push(spawn.afterMs);
    fleet.now += spawn.afterMs;
    const [id] = firstItems(fleet.spawnDue(), 1);
    fleet.fail(id, "app", "not now");
    fleet.exit(id, 1);
  }
  assert.deepEqual(waits, [0, 0, 100]);
  assert.equal(fleet.member(one).state, "ready");
});

Deno.test("A worn worker that dies is replaced by the successor that was on its way, and no other", () => {
  const fleet = Fleet.serving({ workers: 1, maxRequests: 10 });
  const [one] = firstItems(fleet.in("ready"), 1);
  fleet.report(one, { requests: 10 });
  const spawned = fleet.spawnDue();
  assert.ok(!fleet.exit(one, 1).some((action) => action.do === "spawn"));
  fleet.note({ kind: "loaded", id: itemAt(spawned, 0) });
  fleet.ready(itemAt(spawned, 0));
  assert.deepEqual(fleet.in("ready"), spawned);
});

Deno.test("A worker that was told to stop by its own signal is replaced as soon as it takes nothing new", () => {
  const fleet = Fleet.serving();
  const [one] = firstItems(fleet.in("ready"), 1);
  assert.deepEqual(fleet.note({ kind: "quiet", id: one }), [{ do: "spawn", id: 3, nr: 1, generation: 1, afterMs: 0 }]);
  fleet.bringAll();
  assert.deepEqual(saidIn(fleet.exit(one)), [`INFO worker=1 gen=1 pid=${1000 + one} left (signal), requests: 0`]);
  assert.equal(fleet.in("ready").length, 2);
});

Deno.test("A worker that leaves and does not end is killed once its own deadline is over", () => {
  const fleet = Fleet.serving({ workers: 2 });
  fleet.note({ kind: "scale", to: 1 });
  const [leaving] = firstItems(fleet.in("draining"), 1);
  fleet.pass(13);
  assert.ok(!fleet.wasTold("kill", leaving), "it has its own deadline, and some air");
  fleet.pass(1);
  assert.ok(fleet.wasTold("kill", leaving));
  assert.match(itemAt(saidIn(fleet.exit(leaving, 137, "SIGKILL")), 0), /ended: timeout: not drained after 13 s$/);
});

Deno.test("A worker that dies while it leaves is told of with its reason", () => {
  const fleet = Fleet.serving({ workers: 2 });
  fleet.note({ kind: "scale", to: 1 });
  const [leaving] = firstItems(fleet.in("draining"), 1);
  assert.match(
    itemAt(saidIn(fleet.exit(leaving, 137, "SIGKILL")), 0),
    /^ERROR .* ended while it left \(scale\): signal SIGKILL$/,
  );
});
