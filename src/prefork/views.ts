// Shows all processes together: `ctl status` and the dump.

import { type ConnectionFacts, type LimitFacts, showState, type WorkerFacts } from "../inspect/dump.ts";
import type { Platform, Timer } from "../platform/ports.ts";
import type { Member } from "./member.ts";
import type { Ready, Status } from "./messages.ts";
import type { Roster } from "./roster.ts";
import type { WorkerHandle, WorkerState } from "./worker_handle.ts";

/** A worker that is asked for its state and does not answer is shown without. */
const DUMP_PATIENCE_MS = 1_000;

/** What can be seen of a supervisor. */
export interface View {
  roster: Roster;
  handles: ReadonlyMap<number, WorkerHandle>;
  platform: Platform;
  version: string;
  /** Path of the control socket. */
  control: string;
  /** What the newest worker that serves said of itself; null before there is one. */
  newest: Ready | null;
  /** Milliseconds of the clock. */
  startedAt: number;
}

/**
 * Shows what the supervisor knows by itself.
 *
 * @param view the supervisor
 * @returns what `ctl status` answers
 */
export function statusOf({ roster, platform, version, newest, startedAt }: View): Status {
  const { process, clock } = platform;
  const now = clock.now();
  return {
    version,
    runtime: process.runtime,
    pid: process.pid,
    state: roster.state,
    url: newest?.url ?? null,
    generation: roster.generation,
    uptimeMs: now - startedAt,
    workers: [...roster.members.values()].map((member) => ({
      nr: member.nr,
      generation: member.generation,
      pid: member.pid,
      state: member.state,
      ageMs: now - member.spawnedAt,
      requests: member.report.requests,
      connections: member.report.connections,
      rssBytes: member.report.rssBytes,
      restarts: roster.restarts.get(member.nr) ?? 0,
    })),
  };
}

/** A worker and what it says of itself; null if it does not answer. */
interface Told {
  member: Member;
  state: WorkerState | null;
}

async function askAll({ roster, handles, platform }: View): Promise<Told[]> {
  let timer: Timer | undefined;
  const impatience = new Promise<null>((resolve) => {
    timer = platform.clock.after(DUMP_PATIENCE_MS, () => resolve(null));
  });
  const members = [...roster.members.values()].filter(({ state }) => state !== "planned");
  const told = await Promise.all(members.map(async (member) => {
    return { member, state: await handles.get(member.id)?.dump(impatience) ?? null };
  }));
  timer?.cancel();
  return told;
}

/**
 * Asks every worker for its connections.
 *
 * @param view the supervisor
 * @returns those of all
 */
export async function connectionsOf(view: View): Promise<ConnectionFacts[]> {
  return (await askAll(view)).flatMap(rowsOf);
}

/**
 * Asks every worker and shows what they say.
 *
 * @param view the supervisor
 * @returns the dump of all processes
 */
export async function dumpAll(view: View): Promise<string> {
  const { platform, version, control, newest, startedAt } = view;
  const { clock, process } = platform;
  const told = await askAll(view);
  return showState({
    version,
    runtime: process.runtime,
    uptimeMs: clock.now() - startedAt,
    configuration: { supervisor: process.pid, control, ...newest?.configuration },
    accepted: sum(told, ({ state }) => state?.accepted ?? 0),
    pauses: sum(told, ({ state }) => state?.pauses ?? 0),
    limit: limitOf(told),
    workers: told.map((each) => workerFacts(view, each)),
    backends: told.flatMap(({ state }) => state?.backends ?? []),
    connections: told.flatMap(rowsOf),
  });
}

/** Each worker has a limit of its own; shown is the sum. */
function limitOf(told: readonly Told[]): LimitFacts | null {
  const limits = told.flatMap(({ state }) => state?.limit ?? []);
  if (limits.length === 0) return null;
  return {
    running: sum(limits, ({ running }) => running),
    waiting: sum(limits, ({ waiting }) => waiting),
    refused: sum(limits, ({ refused }) => refused),
  };
}

/** Connections of two workers may have the same number. */
function rowsOf({ member, state }: Told): ConnectionFacts[] {
  return (state?.connections ?? []).map((facts) => ({ ...facts, id: `${member.nr}.${facts.id}` }));
}

function workerFacts({ roster, platform }: View, { member, state }: Told): WorkerFacts {
  const { nr, generation, pid, spawnedAt } = member;
  const { requests, rssBytes } = state?.report ?? member.report;
  return {
    nr,
    generation,
    pid,
    ready: member.state === "ready",
    ageMs: platform.clock.now() - spawnedAt,
    requests,
    rssBytes,
    restarts: roster.restarts.get(nr) ?? 0,
  };
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
