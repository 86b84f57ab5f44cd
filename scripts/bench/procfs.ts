// Knows: what Linux tells of a process: CPU time of all its threads, and resident memory.
// Does not know: who the process is.
// Rule: nanoseconds of the scheduler where they are readable; clock ticks only where a thread ended in between.

/** A clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux that Deno runs on. */
const TICK_NS = 10_000_000;

/** What ticks may differ by without a thread having ended: one tick for each end of user and of system time. */
const TICKS_OFF = 4;

/** CPU time of a process at one moment. */
export interface CpuReading {
  threadsNs: Map<string, number>;
  ticksNs: number;
}

/** Reads the CPU time a process has had so far. */
export async function readCpu(pid: number): Promise<CpuReading> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // Fields count from behind the name, which may hold anything: 14 and 15 are user and system time.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksNs = (Number(fields[11]) + Number(fields[12])) * TICK_NS;
  const threadsNs = new Map<string, number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    try {
      const [onCpuNs] = (await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`)).split(" ");
      threadsNs.set(name, Number(onCpuNs));
    } catch (error) {
      // A thread that has just ended, or a kernel without scheduler statistics.
      if (!(error instanceof Deno.errors.NotFound) && !/No such process/.test(String(error))) throw error;
    }
  }
  return { threadsNs, ticksNs };
}

/**
 * Tells the CPU time between two readings of one process.
 *
 * @param before the earlier reading
 * @param after the later one
 * @returns seconds, of all threads together
 */
export function cpuSeconds(before: CpuReading, after: CpuReading): number {
  const ticksNs = after.ticksNs - before.ticksNs;
  let threadsNs = 0;
  for (const [thread, ns] of after.threadsNs) threadsNs += ns - (before.threadsNs.get(thread) ?? 0);
  const isWhole = after.threadsNs.size > 0 && ticksNs - threadsNs <= TICKS_OFF * TICK_NS;
  return (isWhole ? threadsNs : ticksNs) / 1e9;
}

/** Reads the resident memory of a process, in bytes. */
export async function readRss(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024;
}
