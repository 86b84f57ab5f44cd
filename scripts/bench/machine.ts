// What a reader of the results must know of the machine and the tools.
// No host name, no user and no path goes into what is published.

import { isInstalled } from "./process.ts";

/** The machine and what ran on it. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGib: number;
  kernel: string;
  system: string;
}

/** Describes this machine. */
export async function describeMachine(): Promise<Machine> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const cpu = /^(?:model name|Model|cpu model)\s*:\s*(.+)$/m.exec(info)?.[1] ?? Deno.build.arch;
  return {
    cpu: cpu.trim(),
    cores: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 1024 ** 3),
    kernel: Deno.osRelease(),
    system: `${Deno.build.os} ${Deno.build.arch}`,
  };
}

/** Names what sends the requests, or undefined if wrk is missing. */
export async function readWrkVersion(): Promise<string | undefined> {
  if (!await isInstalled("wrk")) return undefined;
  // It prints its version with its usage, and says by its status that this was wrong.
  const { stdout, stderr } = await new Deno.Command("wrk", { args: ["--version"], stdin: "null" }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return `wrk ${/wrk (?:debian\/)?(\d[\w.]*)/.exec(text)?.[1] ?? "of unknown version"}`;
}
