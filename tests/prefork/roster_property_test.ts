// What holds for a roster whatever happens, in whatever order.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import type { BootFault } from "../../src/prefork/messages.ts";
import type { Member } from "../../src/prefork/member.ts";
import { Fleet } from "../helpers/fleet.ts";
import { itemAt } from "../helpers/items.ts";

/** Something that happens: to the worker that `pick` points to, if it can happen to that one. */
type Step =
  | { do: "spawn" | "notSpawned" | "load" | "ready" | "quiet" | "stray" | "stop" | "stopNow"; pick: number }
  | { do: "exit"; pick: number; code: number }
  | { do: "fail"; pick: number; fault: BootFault }
  | { do: "report"; pick: number; requests: number; rssBytes: number }
  | { do: "pass"; pick: number; seconds: number }
  | { do: "stand"; pick: number; seconds: number }
  | { do: "reload"; pick: number }
  | { do: "scale"; pick: number; to: number };

const pick = fc.nat(20);
const often = (name: "spawn" | "load" | "ready", weight: number) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(name), pick }) as fc.Arbitrary<Step>,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  often("spawn", 8),
  often("load", 8),
  often("ready", 8),
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("quiet" as const, "stray" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("notSpawned" as const), pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("exit" as const), pick, code: fc.constantFrom(0, 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      pick,
      fault: fc.constantFrom<BootFault>("app", "listen", "usage", "error"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("report" as const), pick, requests: fc.nat(40), rssBytes: fc.nat(40) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), pick, seconds: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stand" as const), pick, seconds: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reload" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("scale" as const), pick, to: fc.integer({ min: -1, max: 5 }) }) },
);

/** A fleet of workers that behave as processes do: none says anything before it was spawned or after it has ended. */
class World {
  readonly fleet: Fleet;
  lastTicket = 0;

  constructor(workers: number) {
    this.fleet = new Fleet(
      { workers, bootsAtOnce: 2, workerTimeoutMs: 5_000, maxRequests: 30, maxRssBytes: 35 },
      () => 0.3,
    );
    this.fleet.note({ kind: "start" });
  }

  take(step: Step): void {
    const { fleet } = this;
    switch (step.do) {
      case "spawn":
        return void fleet.spawnDue();
      case "notSpawned":
        return this.#notSpawned();
      case "load":
        return this.#with(step, ["booting"], (id) => fleet.note({ kind: "loaded", id }));
      case "ready":
        return this.#with(step, ["listening"], (id) => fleet.ready(id));
      case "quiet":
        return this.#with(step, ["draining", "ready"], (id) => fleet.note({ kind: "quiet", id }));
      case "stray":
        return this.#with(step, ["killed"], (id) => {
          for (const kind of ["loaded", "quiet"] as const) fleet.note({ kind, id });
          fleet.ready(id);
          fleet.fail(id, "app", "stray");
        });
      case "exit":
        return this.#with(
          step,
          ["booting", "loaded", "listening", "ready", "draining", "killed"],
          (id) => fleet.exit(id, step.code),
        );
      case "fail":
        return this.#with(step, ["booting", "loaded", "listening"], (id) => fleet.fail(id, step.fault, "failed"));
      case "report":
        return this.#with(step, ["ready", "draining"], (id) => fleet.report(id, step));
      case "pass":
        return void fleet.pass(step.seconds);
      case "stand":
        fleet.now += step.seconds * 1_000;
        return void fleet.tick();
      case "reload":
        return void fleet.note({ kind: "reload", why: "reload", detail: "test", ticket: ++this.lastTicket });
      case "scale":
        return void fleet.note({ kind: "scale", to: step.to });
      default:
        return void fleet.note({ kind: step.do });
    }
  }

  #notSpawned(): void {
    const { fleet } = this;
    const due = fleet.spawns.filter(({ at, id }) => at <= fleet.now && fleet.roster.members.has(id));
    if (due.length === 0) return;
    fleet.spawns.splice(fleet.spawns.indexOf(itemAt(due, 0)), 1);
    fleet.note({ kind: "notSpawned", id: itemAt(due, 0).id, message: "no more processes" });
  }

  #with({ pick }: Step, states: Member["state"][], call: (id: number) => void): void {
    const ids = [...this.fleet.roster.members.values()].filter(({ state }) => states.includes(state));
    if (ids.length > 0) call(itemAt(ids, pick % ids.length).id);
  }

  check(): void {
    const { roster, ends } = this.fleet;
    // `assert.ok` reads the source for its message, thousands of times too often here.
    const holds = (isSo: boolean, what: string) => isSo || assert.fail(what);
    holds(roster.target >= 1, "one worker at least");
    holds(ends.length <= 1, "it ends once");
    if (ends.length === 1) assert.equal(roster.members.size, 0, "nobody is left behind");
    const places = new Map<string, Member[]>();
    for (const member of roster.members.values()) {
      if (member.leaving !== null || member.fault !== null) continue;
      const place = `${member.generation}.${member.nr}`;
      places.set(place, [...places.get(place) ?? [], member]);
    }
    for (const [place, holders] of places) {
      holds(holders.length <= 2, `${place} has ${holders.length} holders`);
      if (holders.length === 2) {
        assert.deepEqual(holders.map(({ state }) => state === "ready"), [true, false], `${place}: worn and successor`);
      }
    }
    if (roster.state !== "serving") return;
    for (let nr = 1; nr <= roster.target; nr++) {
      const isHeld = [...roster.members.values()].some((member) =>
        member.nr === nr && member.generation === roster.generation && member.leaving === null
      );
      holds(isHeld, `place ${nr} is empty, and nothing is planned`);
    }
  }

  /** Every worker ends, as processes do; no new one may come. */
  finish(how: "stop" | "stopNow"): void {
    const { fleet } = this;
    fleet.note({ kind: how });
    for (const { id } of [...fleet.roster.members.values()]) fleet.exit(id);
    assert.deepEqual(fleet.spawnDue(), []);
    assert.equal(fleet.ends.length, 1);
    const tickets = fleet.verdicts.map(({ ticket }) => ticket).sort((a, b) => a - b);
    assert.deepEqual(tickets, Array.from({ length: this.lastTicket }, (_, i) => i + 1), "each is told once");
  }
}

function isGivenUp(fleet: Fleet): boolean {
  return fleet.roster.state === "draining";
}

const story = fc.array(step, { maxLength: 120, size: "max" });

Deno.test("Whatever happens, no place has two holders besides a successor pair, and a stop ends exactly once", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), story, fc.constantFrom("stop", "stopNow"), (workers, steps, how) => {
      const world = new World(workers);
      for (const step of steps) {
        world.take(step);
        world.check();
      }
      world.finish(how);
    }),
    { numRuns: 15000 },
  );
});

Deno.test("Whatever happens in between, a fleet that nothing befalls any more comes to full strength", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), story, (workers, steps) => {
      const world = new World(workers);
      const { fleet } = world;
      for (const step of steps) world.take(step);
      if (isGivenUp(fleet)) return;
      for (let i = 0; i < 40; i++) {
        fleet.spawnDue();
        for (const { id, state, fault } of [...fleet.roster.members.values()]) {
          if (state === "killed" || state === "draining" || fault !== null) fleet.exit(id);
          else if (state === "booting") fleet.note({ kind: "loaded", id });
          else if (state === "listening") fleet.ready(id);
          else if (state === "ready") fleet.report(id);
        }
        if (isGivenUp(fleet)) return;
        fleet.now += 1_000;
        fleet.tick();
      }
      const ready = [...fleet.roster.members.values()].filter(({ state }) => state === "ready");
      assert.deepEqual(
        ready.map(({ nr }) => nr).sort(),
        Array.from({ length: fleet.roster.target }, (_, i) => i + 1),
      );
      assert.equal(fleet.roster.members.size, ready.length);
    }),
    { numRuns: 150 },
  );
});
