// How one generation follows another, all or nothing.

import assert from "node:assert/strict";
import { Fleet, saidIn } from "../helpers/fleet.ts";
import { firstItems, itemAt } from "../helpers/items.ts";

function reload(fleet: Fleet, ticket = 0, why: "reload" | "restart" = "reload") {
  return fleet.note({ kind: "reload", why, detail: "ctl", ticket });
}

Deno.test("A reload starts a whole new generation, and the old one serves until all of the new one are ready", () => {
  const fleet = Fleet.serving();
  const old = fleet.in("ready");
  assert.deepEqual(reload(fleet, 1), [
    { do: "spawn", id: 3, nr: 1, generation: 2, afterMs: 0 },
    { do: "spawn", id: 4, nr: 2, generation: 2, afterMs: 0 },
  ]);
  fleet.spawnDue();
  assert.deepEqual(fleet.note({ kind: "loaded", id: 3 }), [], "nobody listens before all have loaded");
  assert.deepEqual(fleet.note({ kind: "loaded", id: 4 }), [{ do: "listen", id: 3 }, { do: "listen", id: 4 }]);
  fleet.ready(4);
  assert.equal(fleet.roster.generation, 1);
  const actions = fleet.ready(3);
  assert.equal(fleet.roster.generation, 2);
  assert.deepEqual(
    actions.filter((action) => action.do === "drain"),
    old.map((id) => ({ do: "drain", id, why: "reload" })),
  );
  for (const id of old) assert.match(saidIn(fleet.exit(id)).at(-1)!, /left \(reload\), requests: 0$/);
  assert.equal(fleet.spawns.length, 0);
});

Deno.test("A new generation loads a few workers at a time, and none listens before the last has loaded", () => {
  const fleet = Fleet.serving({ workers: 3, bootsAtOnce: 1 });
  const spawn = (id: number, nr: number) => ({ do: "spawn", id, nr, generation: 2, afterMs: 0 });
  const load = (id: number) => {
    assert.deepEqual(fleet.spawnDue(), [id]);
    return fleet.note({ kind: "loaded", id });
  };
  assert.deepEqual(reload(fleet, 1), [spawn(4, 1)]);
  assert.deepEqual(load(4), [spawn(5, 2)]);
  assert.deepEqual(load(5), [spawn(6, 3)]);
  assert.deepEqual(load(6), [4, 5, 6].map((id) => ({ do: "listen", id })));
  for (const id of [4, 5, 6]) fleet.ready(id);
  assert.equal(fleet.roster.generation, 2);
});

Deno.test("The first worker and one with changed code are waited for and load all at once; others are not waited for", () => {
  const fleet = Fleet.serving({ workers: 3, bootsAtOnce: 1 });
  assert.equal(new Fleet({ workers: 3 }).roster.isAwaited, true);
  assert.equal(fleet.roster.isAwaited, false);
  reload(fleet);
  assert.equal(fleet.roster.isAwaited, false);
  assert.equal(fleet.spawns.length, 1);
  reload(fleet, 0, "restart");
  assert.equal(fleet.roster.isAwaited, true);
  assert.equal(fleet.spawns.filter(({ generation }) => generation === 3).length, 3);
});

Deno.test("It is calm while every worker serves and nothing is under way", () => {
  const starting = new Fleet();
  starting.note({ kind: "start" });
  assert.equal(starting.roster.isCalm, false);
  const fleet = Fleet.serving();
  assert.equal(fleet.roster.isCalm, true);
  reload(fleet);
  assert.equal(fleet.roster.isCalm, false);
  const old = fleet.in("ready");
  fleet.bringAll();
  assert.equal(fleet.roster.isCalm, false, "the old ones drain");
  for (const id of old) fleet.exit(id);
  assert.equal(fleet.roster.isCalm, true);
  const [id] = firstItems(fleet.in("ready"), 1);
  fleet.exit(id, 1);
  assert.equal(fleet.roster.isCalm, false, "one is missing");
  fleet.bringAll();
  assert.equal(fleet.roster.isCalm, true);
  fleet.note({ kind: "stop" });
  assert.equal(fleet.roster.isCalm, false);
});

Deno.test("Of a generation that fails, the workers that wait for their turn are not started", () => {
  const fleet = Fleet.serving({ workers: 3, bootsAtOnce: 1 });
  reload(fleet, 1);
  const [first] = firstItems(fleet.spawnDue(), 1);
  fleet.fail(first, "app", "it throws");
  fleet.exit(first, 1);
  assert.deepEqual(fleet.spawns, []);
  assert.equal(itemAt(fleet.verdicts, 0).ok, false);
  assert.equal(fleet.in("ready").length, 3);
});

Deno.test("The verdict comes once every old worker has fallen quiet, or is gone", () => {
  const fleet = Fleet.serving();
  const [one, two] = firstItems(fleet.in("ready"), 2);
  reload(fleet, 7);
  fleet.bringAll();
  fleet.now += 50;
  assert.deepEqual(fleet.note({ kind: "quiet", id: one }), []);
  fleet.now += 50;
  const actions = fleet.exit(two);
  const message = "reloaded: gen=2 in 100 ms (ctl)";
  assert.ok(saidIn(actions).includes(`INFO ${message}`));
  assert.deepEqual(fleet.verdicts, [{ do: "verdict", ticket: 7, ok: true, message }]);
});

Deno.test("A restart is a reload with another name", () => {
  const fleet = Fleet.serving({ workers: 1 });
  const [one] = firstItems(fleet.in("ready"), 1);
  fleet.note({ kind: "reload", why: "restart", detail: "app.ts changed", ticket: 0 });
  fleet.bringAll();
  assert.deepEqual(fleet.actions.at(-1), { do: "drain", id: one, why: "restart" });
  assert.deepEqual(saidIn(fleet.note({ kind: "quiet", id: one })), ["INFO restarted: gen=2 in 0 ms (app.ts changed)"]);
});

Deno.test("A fault of any of the new generation leaves the old one as it is", () => {
  const fleet = Fleet.serving();
  const old = fleet.in("ready");
  reload(fleet, 3);
  const [three, four] = firstItems(fleet.spawnDue(), 2);
  fleet.note({ kind: "loaded", id: three });
  const actions = fleet.fail(four, "app", "app.ts:3:1 is broken");
  const message = "not reloaded: gen=1 goes on serving; app.ts:3:1 is broken";
  assert.deepEqual(saidIn(actions), [`ERROR ${message}`]);
  assert.deepEqual(fleet.verdicts, [{ do: "verdict", ticket: 3, ok: false, message }]);
  assert.ok(fleet.wasTold("kill", three));
  for (const id of [three, four]) assert.deepEqual(fleet.exit(id, 1), [], "their ends are nothing new");
  assert.deepEqual(fleet.in("ready"), old);
  assert.equal(fleet.roster.generation, 1);
});

Deno.test("A new worker that hangs or dies before all are ready fails the reload as well", () => {
  const fleet = Fleet.serving({ workers: 2, workerTimeoutMs: 5_000 });
  const old = fleet.in("ready");
  reload(fleet, 1);
  const [three] = firstItems(fleet.spawnDue(), 1);
  fleet.note({ kind: "loaded", id: three });
  const hung = fleet.pass(6).find((action) => action.do === "kill");
  assert.ok(hung);
  fleet.exit(hung.id, 137, "SIGKILL");
  assert.match(itemAt(fleet.verdicts, 0).message, /ended before it was ready: timeout: not ready after 5 s$/);
  reload(fleet, 2);
  const [five, six] = firstItems(fleet.spawnDue(), 2);
  for (const id of [five, six]) fleet.note({ kind: "loaded", id });
  fleet.ready(five);
  fleet.exit(five, 1);
  assert.match(itemAt(fleet.verdicts, 1).message, /ended before it was ready: exit code 1$/);
  assert.ok(fleet.wasTold("kill", six));
  assert.deepEqual(fleet.in("ready"), old);
});

Deno.test("A worker that cannot be spawned fails the reload", () => {
  const fleet = Fleet.serving();
  reload(fleet, 1);
  fleet.note({ kind: "notSpawned", id: 3, message: "out of processes" });
  assert.match(
    itemAt(fleet.verdicts, 0).message,
    /^not reloaded: gen=1 goes on serving; cannot start a worker: out of proc/,
  );
  assert.deepEqual(fleet.spawnDue(), []);
});

Deno.test("A newer reload takes the place of the one that is under way, and answers for both", () => {
  const fleet = Fleet.serving();
  const old = fleet.in("ready");
  reload(fleet, 1);
  const dropped = fleet.spawnDue();
  reload(fleet, 2);
  for (const id of dropped) assert.ok(fleet.wasTold("kill", id));
  for (const id of dropped) assert.deepEqual(fleet.exit(id, 137, "SIGKILL"), []);
  fleet.bringAll();
  assert.equal(fleet.roster.generation, 3);
  for (const id of old) fleet.note({ kind: "quiet", id });
  assert.deepEqual(fleet.verdicts.map(({ ticket, ok }) => [ticket, ok]), [[1, true], [2, true]]);
});

Deno.test("A worker that fell quiet long ago and finishes one answer still holds up no later reload", () => {
  const fleet = Fleet.serving({ workers: 1 });
  const [streaming] = firstItems(fleet.in("ready"), 1);
  reload(fleet, 1);
  fleet.bringAll();
  fleet.note({ kind: "quiet", id: streaming });
  assert.equal(fleet.verdicts.length, 1);
  const [two] = firstItems(fleet.in("ready"), 1);
  reload(fleet, 2);
  fleet.bringAll();
  fleet.note({ kind: "quiet", id: two });
  assert.equal(fleet.verdicts.length, 2);
  assert.equal(fleet.member(streaming).state, "draining");
});

Deno.test("A worker that dies during a reload is replaced in the old generation too", () => {
  const fleet = Fleet.serving();
  const [one] = firstItems(fleet.in("ready"), 1);
  reload(fleet);
  const coming = fleet.spawnDue();
  const spawn = fleet.exit(one, 1).find((action) => action.do === "spawn");
  assert.deepEqual([spawn?.nr, spawn?.generation], [1, 1]);
  fleet.bringAll();
  for (const id of coming) fleet.note({ kind: "loaded", id });
  for (const id of coming) fleet.ready(id);
  assert.deepEqual(fleet.in("draining").length, 2);
});

Deno.test("A reload while it stops is refused, and a stop refuses the one that is under way", () => {
  const fleet = Fleet.serving();
  reload(fleet, 1);
  fleet.spawnDue();
  fleet.note({ kind: "stop" });
  reload(fleet, 2);
  assert.deepEqual(fleet.verdicts.map(({ ticket, ok, message }) => [ticket, ok, message]), [
    [1, false, "not reloaded: stopping"],
    [2, false, "not reloaded: stopping"],
  ]);
});

Deno.test("What a place owed for its dead is forgiven to a new generation", () => {
  const fleet = Fleet.serving({ workers: 1 });
  for (let i = 0; i < 4; i++) {
    fleet.exit(itemAt(fleet.in("ready"), 0), 1);
    fleet.now += 5_000;
    fleet.bringAll();
  }
  reload(fleet);
  fleet.bringAll();
  const spawn = fleet.exit(itemAt(fleet.in("ready"), 0), 1).find((action) => action.do === "spawn");
  assert.equal(spawn?.afterMs, 0);
});

Deno.test("Of a generation that is given up, a worker that serves already finishes what it has", () => {
  for (const end of [{ kind: "stop" }, { kind: "reload", why: "reload", detail: "HUP", ticket: 0 }] as const) {
    const fleet = Fleet.serving();
    reload(fleet);
    const [three, four] = firstItems(fleet.spawnDue(), 2);
    for (const id of [three, four]) fleet.note({ kind: "loaded", id });
    fleet.ready(three);
    const actions = fleet.note(end);
    assert.ok(actions.some((action) => action.do === "drain" && action.id === three), `${end.kind} drains it`);
    assert.ok(actions.some((action) => action.do === "kill" && action.id === four));
  }
});
