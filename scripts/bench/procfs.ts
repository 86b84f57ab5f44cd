// What Linux tells of a process and its children: CPU time of all threads, and resident memory.
// Nanoseconds of the scheduler if they are readable; clock ticks only if a thread ended in between.

/** A clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux that Deno runs on. */
const TICK_NS = 10_000_000;

/** What ticks may differ by without a thread having ended: one tick for each end of user and of system time. */
const TICKS_OFF = 4;

/** CPU time of one process at one moment. */
interface OwnReading {
  threadsNs: Map<string, number>;
  ticksNs: number;
}

/** CPU time of a process and its children at one moment. */
export interface CpuReading {
  processes: Map<number, OwnReading>;
  /** What children that are gone have had in their lives. */
  goneNs: number;
}

/**
 * Finds a process and its children, and theirs.
 *
 * @param pid the process
 * @returns their ids, that of the process first
 */
export async function readTree(pid: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for await (const { name } of Deno.readDir("/proc")) {
    const child = Number(name);
    const fields = child > 0 ? await readStat(child) : null;
    if (fields === null) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...children.get(parent) ?? [], child]);
  }
  const below = (parent: number): number[] => [parent, ...(children.get(parent) ?? []).flatMap(below)];
  return below(pid);
}

/** Reads the CPU time that a process and its children have had so far. */
export async function readCpu(pid: number): Promise<CpuReading> {
  return await readCpuOf(await readTree(pid));
}

/** Reads the CPU time that a process itself has had so far, without its children. */
export async function readOwnCpu(pid: number): Promise<CpuReading> {
  return { ...await readCpuOf([pid]), goneNs: 0 };
}

async function readCpuOf(pids: readonly number[]): Promise<CpuReading> {
  const processes: CpuReading["processes"] = new Map();
  let goneNs = 0;
  for (const pid of pids) {
    const fields = await readStat(pid);
    if (fields === null) continue;
    // 14 and 15 are user and system time, 16 and 17 that of children which were waited for.
    processes.set(pid, { ticksNs: ticksOf(fields[11], fields[12]), threadsNs: await readThreads(pid) });
    goneNs += ticksOf(fields[13], fields[14]);
  }
  if (!processes.has(pids[0])) throw new Error("the process is gone");
  return { processes, goneNs };
}

/** The fields of /proc/PID/stat after the name, which may hold anything: the first is the third. */
async function readStat(pid: number): Promise<string[] | null> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

async function readThreads(pid: number): Promise<Map<string, number>> {
  const threadsNs = new Map<string, number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    try {
      const [onCpuNs] = (await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`)).split(" ");
      threadsNs.set(name, Number(onCpuNs));
    } catch (error) {
      // A thread that has just ended, or a kernel without scheduler statistics.
      if (!isGone(error)) throw error;
    }
  }
  return threadsNs;
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || /No such process/.test(String(error));
}

function ticksOf(user: string, system: string): number {
  return (Number(user) + Number(system)) * TICK_NS;
}

/**
 * Tells the CPU time between two readings of the same process.
 *
 * @param before the earlier reading
 * @param after the later one
 * @returns seconds, of all threads of all processes together
 */
export function cpuSeconds(before: CpuReading, after: CpuReading): number {
  let ns = after.goneNs - before.goneNs;
  for (const [pid, reading] of after.processes) ns += ownNs(before.processes.get(pid), reading);
  // What is gone counts with its whole life, and a part of that was before.
  for (const [pid, { ticksNs }] of before.processes) if (!after.processes.has(pid)) ns -= ticksNs;
  return ns / 1e9;
}

function ownNs(before: OwnReading | undefined, after: OwnReading): number {
  const ticksNs = after.ticksNs - (before?.ticksNs ?? 0);
  let threadsNs = 0;
  for (const [thread, ns] of after.threadsNs) threadsNs += ns - (before?.threadsNs.get(thread) ?? 0);
  const isWhole = after.threadsNs.size > 0 && ticksNs - threadsNs <= TICKS_OFF * TICK_NS;
  return isWhole ? threadsNs : ticksNs;
}

/** Reads the resident memory of a process and its children, in bytes. */
export async function readRss(pid: number): Promise<number> {
  let kib = 0;
  for (const each of await readTree(pid)) {
    const status = await Deno.readTextFile(`/proc/${each}/status`).catch(() => "");
    kib += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  }
  return kib > 0 ? kib * 1024 : NaN;
}
