// How a first start goes: which worker listens first, and when the start is given up.

import assert from "node:assert/strict";
import { Fleet } from "../helpers/fleet.ts";
import { firstItems, itemAt, type Items } from "../helpers/items.ts";

function started<Count extends number>(workers: Count): { fleet: Fleet; ids: Items<number, Count> } {
  const fleet = new Fleet({ workers });
  fleet.note({ kind: "start" });
  return { fleet, ids: firstItems(fleet.spawnDue(), workers) };
}

Deno.test("A roster starts as many workers as there should be, all at once", () => {
  const fleet = new Fleet({ workers: 3 });
  const actions = fleet.note({ kind: "start" });
  assert.deepEqual(actions, [1, 2, 3].map((nr) => ({ do: "spawn", id: nr, nr, generation: 1, afterMs: 0 })));
  assert.equal(fleet.roster.state, "starting");
});

Deno.test("The first worker that has loaded listens first, and the others wait for it", () => {
  const { fleet, ids: [one, two, three] } = started(3);
  assert.deepEqual(fleet.note({ kind: "loaded", id: two }), [{ do: "listen", id: two }]);
  assert.deepEqual(fleet.note({ kind: "loaded", id: one }), []);
  const actions = fleet.ready(two);
  assert.deepEqual(actions.slice(1), [{ do: "listen", id: one }]);
  assert.equal(fleet.said[0], `INFO worker=2 gen=1 pid=${1000 + two} ready in 0 ms`);
  assert.equal(fleet.roster.state, "serving");
  assert.deepEqual(fleet.note({ kind: "loaded", id: three }), [{ do: "listen", id: three }]);
});

Deno.test("If the first to listen dies, the next one that has loaded listens instead", () => {
  const { fleet, ids: [one, two] } = started(2);
  fleet.note({ kind: "loaded", id: one });
  fleet.note({ kind: "loaded", id: two });
  const actions = fleet.exit(one, 1);
  assert.ok(actions.some((action) => action.do === "listen" && action.id === two));
  fleet.ready(two);
  fleet.bringAll();
  assert.equal(fleet.in("ready").length, 2);
});

Deno.test("If the first to listen is not wanted any more, the next one listens instead", () => {
  const { fleet, ids: [one, two] } = started(2);
  fleet.note({ kind: "loaded", id: two });
  fleet.note({ kind: "loaded", id: one });
  fleet.note({ kind: "scale", to: 1 });
  assert.deepEqual(fleet.exit(two, 137, "SIGKILL").at(-1), { do: "listen", id: one });
});

Deno.test("A first start is given up after five failed boots in a row, with 3", () => {
  const { fleet } = started(1);
  let due = fleet.in("booting");
  for (let i = 1; i <= 5; i++) {
    fleet.exit(itemAt(due, 0), 7);
    assert.equal(fleet.ends.length, i === 5 ? 1 : 0);
    fleet.now += 10_000;
    due = fleet.spawnDue();
  }
  assert.deepEqual(fleet.ends, [{
    do: "end",
    code: 3,
    message: "no worker has booted in 5 attempts; the last one ended: exit code 7",
  }]);
  assert.deepEqual(due, []);
});

for (
  const [fault, code] of [["app", 4], ["usage", 2], ["listen", 1]] as const
) {
  Deno.test(`A first worker that fails for its ${fault} ends the start with ${code} and its message, once`, () => {
    const { fleet, ids } = started(3);
    fleet.fail(itemAt(ids, 1), fault, "cannot load it\nfor this reason");
    fleet.fail(itemAt(ids, 0), fault, "the same again");
    assert.deepEqual(fleet.ends, [], "workers that live are waited for");
    for (const id of ids) assert.ok(fleet.wasTold("kill", id) || id === ids[1]);
    for (const id of ids) fleet.exit(id, 1);
    assert.deepEqual(fleet.ends, [{ do: "end", code, message: "cannot load it\nfor this reason" }]);
    assert.deepEqual(fleet.said, [], "the message is said once, at the end");
  });
}

Deno.test("A worker that cannot be spawned ends the start with 1", () => {
  const fleet = new Fleet({ workers: 1 });
  fleet.note({ kind: "start" });
  fleet.note({ kind: "notSpawned", id: 1, message: "requires run access" });
  assert.deepEqual(fleet.ends, [{ do: "end", code: 1, message: "cannot start a worker: requires run access" }]);
});

Deno.test("An unexpected error of a worker is tried again, and its message stands in the log", () => {
  const { fleet, ids: [id] } = started(1);
  fleet.fail(id, "error", "out of luck");
  assert.equal(fleet.said[0], `ERROR worker=1 gen=1 pid=${1000 + id} failed to boot: out of luck`);
  fleet.exit(id, 1);
  fleet.bringAll();
  assert.deepEqual(fleet.ends, []);
  assert.equal(fleet.roster.state, "serving");
});

Deno.test("A worker that does not boot in time is killed, and counts as a failed boot", () => {
  const { fleet, ids: [id] } = started(1);
  fleet.pass(30);
  assert.ok(!fleet.wasTold("kill", id));
  fleet.pass(1);
  assert.ok(fleet.wasTold("kill", id));
  fleet.exit(id, 137, "SIGKILL");
  assert.match(itemAt(fleet.said, 0), /^ERROR worker=1 gen=1 pid=\d+ ended: timeout: not ready after 30 s$/);
  assert.equal(fleet.spawns.length, 1);
});

Deno.test("One that has loaded and waits for the first is not late", () => {
  const { fleet, ids: [one, two] } = started(2);
  fleet.note({ kind: "loaded", id: two });
  fleet.now += 20_000;
  fleet.note({ kind: "loaded", id: one });
  fleet.pass(25);
  assert.ok(fleet.wasTold("kill", two), "the one that was told to listen is");
  assert.ok(!fleet.wasTold("kill", one));
});

Deno.test("A reload before the first worker serves is refused", () => {
  const { fleet } = started(2);
  fleet.note({ kind: "reload", why: "reload", detail: "ctl", ticket: 5 });
  assert.deepEqual(fleet.verdicts, [{
    do: "verdict",
    ticket: 5,
    ok: false,
    message: "not reloaded: still starting",
  }]);
  assert.deepEqual(fleet.said, ["WARN not reloaded: still starting"]);
});

Deno.test("What is saved before the first worker serves is not lost: it restarts as soon as that one does", () => {
  const { fleet, ids: [one] } = started(1);
  fleet.note({ kind: "reload", why: "restart", detail: "changed: app.ts", ticket: 0 });
  assert.deepEqual(fleet.spawnDue(), []);
  fleet.note({ kind: "loaded", id: one });
  fleet.note({ kind: "ready", id: one, drainMs: 1_000 });
  assert.deepEqual(fleet.spawns.map(({ generation }) => generation), [2]);
});

Deno.test("A stop while workers boot kills them: there is nothing to finish", () => {
  const { fleet, ids } = started(2);
  const actions = fleet.note({ kind: "stop" });
  assert.deepEqual(actions, ids.map((id) => ({ do: "kill", id })));
  for (const id of ids) fleet.exit(id, 137, "SIGKILL");
  assert.deepEqual(fleet.ends, [{ do: "end", code: 0 }]);
});

Deno.test("A stop before anything was spawned ends at once", () => {
  const fleet = new Fleet({ workers: 2 });
  fleet.note({ kind: "start" });
  assert.deepEqual(fleet.note({ kind: "stop" }), [{ do: "end", code: 0 }]);
  assert.deepEqual(fleet.spawnDue(), []);
});
