// What Linux tells about a process and its children: CPU time of all threads, and resident memory.
// The scheduler counts nanoseconds for each thread. Clock ticks (10 ms) serve if a thread ended between two readings.

/** A clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux that Deno runs on. */
const TICK_NS = 10_000_000;
/** What ticks may differ by if no thread has ended: one tick for each end of user and of system time. */
const TICKS_OFF = 4;

/** CPU time of some processes at one moment. */
export interface CpuReading {
  /** Of each thread, by its id. */
  threadsNs: Map<string, number>;
  /** Of all processes, and of their children that have ended. */
  ticksNs: number;
}

/** Finds the ids of a process, its children, and theirs; that of the process is the first. */
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

/** Reads the CPU time that processes have used so far; throws if the first of them has ended. */
export async function readCpu(pids: readonly number[]): Promise<CpuReading> {
  const reading: CpuReading = { threadsNs: new Map(), ticksNs: 0 };
  for (const [nr, pid] of pids.entries()) {
    const fields = await readStat(pid);
    if (fields === null && nr === 0) throw new Error("the process has ended");
    if (fields === null) continue;
    // Fields 14 to 17: user and system time, and those of children that were waited for.
    for (const ticks of fields.slice(11, 15)) reading.ticksNs += Number(ticks) * TICK_NS;
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const text = await readIfThere(`/proc/${pid}/task/${name}/schedstat`);
      if (text !== null) reading.threadsNs.set(name, parseInt(text));
    }
  }
  return reading;
}

/** Computes the seconds of CPU time between two readings of the same processes, of all their threads together. */
export function cpuSeconds(before: CpuReading, after: CpuReading): number {
  const ticksNs = after.ticksNs - before.ticksNs;
  let threadsNs = 0;
  for (const [thread, ns] of after.threadsNs) threadsNs += ns - (before.threadsNs.get(thread) ?? 0);
  const isWhole = after.threadsNs.size > 0 && ticksNs - threadsNs <= TICKS_OFF * TICK_NS;
  return (isWhole ? threadsNs : ticksNs) / 1e9;
}

/** Reads the resident memory of a process and its children, in bytes. */
export async function readRss(pid: number): Promise<number> {
  let kib = 0;
  for (const each of await readTree(pid)) {
    kib += Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readIfThere(`/proc/${each}/status`) ?? "")?.[1] ?? 0);
  }
  return kib > 0 ? kib * 1024 : NaN;
}

/** The fields of /proc/PID/stat after the name, which may hold anything: the first is the third. */
async function readStat(pid: number): Promise<string[] | null> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  return stat === null ? null : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Reads a file of /proc; null if its process or thread has just ended. */
async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /No such process/.test(String(error))) return null;
    throw error;
  }
}
