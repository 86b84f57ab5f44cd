// How a roster grows, shrinks and stops.

import assert from "node:assert/strict";
import { Fleet, saidIn } from "../helpers/fleet.ts";
import { firstItems } from "../helpers/items.ts";

Deno.test("A place more is filled at once, one fewer drains the last, and never the only one", () => {
  const fleet = Fleet.serving();
  const [one, two] = firstItems(fleet.in("ready"), 2);
  const up = fleet.note({ kind: "scale", to: 3 });
  assert.deepEqual(saidIn(up), ["INFO workers: 2 -> 3"]);
  assert.deepEqual(up.at(-1), { do: "spawn", id: 3, nr: 3, generation: 1, afterMs: 0 });
  fleet.bringAll();
  assert.deepEqual(fleet.note({ kind: "scale", to: 1 }).slice(1), [
    { do: "drain", id: two, why: "scale" },
    { do: "drain", id: 3, why: "scale" },
  ]);
  assert.deepEqual(fleet.note({ kind: "scale", to: 0 }), []);
  assert.deepEqual(fleet.note({ kind: "scale", to: -5 }), []);
  for (const id of [two, 3]) assert.ok(!fleet.exit(id).some((action) => action.do === "spawn"));
  assert.deepEqual(fleet.in("ready"), [one]);
});

Deno.test("A place that is wanted again while its worker leaves gets a new one at once", () => {
  const fleet = Fleet.serving();
  fleet.note({ kind: "scale", to: 1 });
  const [leaving] = firstItems(fleet.in("draining"), 1);
  const actions = fleet.note({ kind: "scale", to: 2 });
  assert.equal(actions.at(-1)?.do, "spawn");
  fleet.bringAll();
  fleet.exit(leaving);
  assert.equal(fleet.in("ready").length, 2);
});

Deno.test("More workers than the machine can have are not started", () => {
  const fleet = Fleet.serving();
  fleet.note({ kind: "scale", to: 1e9 });
  assert.equal(fleet.roster.target, 32);
});

Deno.test("A scale during a reload counts for both generations", () => {
  for (const to of [1, 4]) {
    const fleet = Fleet.serving();
    fleet.note({ kind: "reload", why: "reload", detail: "ctl", ticket: 0 });
    fleet.spawnDue();
    fleet.note({ kind: "scale", to });
    for (const { id, generation } of fleet.roster.members.values()) {
      if (generation === 2) fleet.note({ kind: "loaded", id });
    }
    for (const { id, generation } of fleet.roster.members.values()) if (generation === 2) fleet.ready(id);
    for (const id of fleet.in("draining")) if (fleet.member(id).generation === 1) fleet.exit(id);
    fleet.bringAll();
    const serving = [...fleet.roster.members.values()].filter(({ state }) => state === "ready");
    assert.deepEqual(serving.map(({ generation }) => generation), Array(to).fill(2));
  }
});

Deno.test("A scale down that meets a place in its back-off plans nothing, and says nothing of it", () => {
  const fleet = Fleet.serving();
  for (let i = 0; i < 3; i++) {
    fleet.exit(fleet.in("ready").find((id) => fleet.member(id).nr === 2)!, 1);
    fleet.now += 1_000;
    fleet.bringAll();
  }
  const two = fleet.in("ready").find((id) => fleet.member(id).nr === 2)!;
  fleet.note({ kind: "scale", to: 1 });
  assert.deepEqual(saidIn(fleet.exit(two, 0)).length, 1);
  assert.deepEqual(fleet.spawns, []);
});

Deno.test("A stop drains every worker, and ends with the last one", () => {
  const fleet = Fleet.serving();
  const [one, two] = firstItems(fleet.in("ready"), 2);
  assert.deepEqual(fleet.note({ kind: "stop" }), [one, two].map((id) => ({ do: "drain", id, why: "stop" })));
  assert.equal(fleet.roster.state, "draining");
  assert.deepEqual(fleet.note({ kind: "stop" }), []);
  fleet.exit(one);
  assert.deepEqual(fleet.ends, []);
  fleet.exit(two, 1);
  assert.deepEqual(fleet.ends, [{ do: "end", code: 0 }]);
});

Deno.test("A stop forgets places that wait for their next worker", () => {
  const fleet = Fleet.serving({ workers: 1 });
  for (let i = 0; i < 2; i++) {
    fleet.exit(fleet.in("ready")[0] ?? 0, 1);
    if (i === 0) fleet.bringAll();
  }
  assert.equal(fleet.spawns.length, 1);
  assert.deepEqual(fleet.note({ kind: "stop" }), [{ do: "end", code: 0 }]);
  fleet.now += 1_000;
  assert.deepEqual(fleet.spawnDue(), []);
});

Deno.test("A second stop cuts what runs, and kills a worker that does not even do that", () => {
  const fleet = Fleet.serving();
  const [one, two] = firstItems(fleet.in("ready"), 2);
  fleet.note({ kind: "stop" });
  assert.deepEqual(fleet.note({ kind: "stopNow" }), [{ do: "abort", id: one }, { do: "abort", id: two }]);
  fleet.exit(one, 0);
  fleet.now += 400;
  // Asking again does not put the end off.
  fleet.note({ kind: "stopNow" });
  fleet.pass(1);
  assert.ok(fleet.wasTold("kill", two));
  fleet.exit(two, 137, "SIGKILL");
  assert.deepEqual(fleet.ends, [{ do: "end", code: 0 }]);
});
