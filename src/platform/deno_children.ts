// How Deno starts another process of its program, with what this one was given.
// A child gets no permission that its parent lacks.

import type { Child, ChildAccess, ChildOptions, Children } from "./ports.ts";

/** Deno as it was started, before anybody changed what it says of its arguments. */
const ARGS_AT_START = [...Deno.args];

/** Flags that say which configuration file is used. */
const CONFIG = /^(-c|--config(=|$)|--no-config$)/;
/** Flags that belong to one process: two debuggers cannot share a port, and only the supervisor restarts. */
const NOT_INHERITED = /^--(inspect|watch|cpu-prof|unstable-net$|no-prompt$)/;
/** Of these, the ones whose value may be the next word. */
const VALUE_BEHIND = /^--cpu-prof-(dir|name|interval)$/;

/**
 * Room for what a start leaves behind, in MiB: with the one that is usual the collector runs in the middle of it, and its
 * threads have to be woken. It makes up for that later, when clients are there, and the process stays some 9 MB larger.
 */
const ROOM_TO_START = "--v8-flags=--min-semi-space-size=8";

/** Deno as other processes see it. */
export const children: Children = {
  limitsOf(options) {
    if (ownFlags() !== null) return null;
    const flags = permissionFlags(options);
    return flags.includes(EVERYTHING) ? null : flags.join(" ") || "no permission";
  },
  configFor(own) {
    const flags = ownFlags() ?? [];
    const at = flags.findIndex((word) => CONFIG.test(word));
    if (at < 0) return own;
    const named = /^(?:--config=|-c=?)(.+)$/.exec(flags[at])?.[1] ?? flags[at + 1];
    return flags[at] === "--no-config" || named === undefined ? undefined : named;
  },
  startSelf(options): Child {
    const { module, args, env } = options;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flagsFor(options), "--unstable-net", "--no-prompt", module, ...args],
      env: { ...env },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    });
    const child = command.spawn();
    return {
      pid: child.pid,
      ended: child.status.then(({ code, signal }) => ({ code, signal })),
      kill(signal) {
        try {
          child.kill(signal);
        } catch (error) {
          // It has ended, and its end is on its way to us.
          if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
        }
      },
    };
  },
};

function flagsFor(options: ChildOptions): string[] {
  const flags = ownFlags() ?? permissionFlags(options);
  const has = (flag: RegExp) => flags.some((word) => flag.test(word));
  const isRoomGiven = has(/^--v8-flags.*semi-space/) || variable("DENO_V8_FLAGS").includes("semi-space");
  const more = options.isAwaited && !isRoomGiven ? [ROOM_TO_START] : [];
  if (options.config !== undefined && !has(CONFIG)) more.push(`--config=${options.config}`);
  return [...flags, ...more];
}

/** A variable of the environment; "" if it is not set or hidden. It is read without a permission prompt. */
function variable(name: string): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) ?? "" : "";
}

/** The flags of this process. Only Linux shows them, and only to a process with all permissions. */
function ownFlags(): string[] | null {
  if (Deno.build.os !== "linux") return null;
  let words: string[];
  try {
    words = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(1, -1);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  // Behind the flags come the main module and the arguments.
  const flags = words.slice(0, words.length - ARGS_AT_START.length - 1);
  const command = flags.indexOf("run");
  if (command >= 0) flags.splice(command, 1);
  return flags.filter((flag, i) => !NOT_INHERITED.test(flag) && !VALUE_BEHIND.test(flags[i - 1] ?? ""));
}

const EVERYTHING = "--allow-all";
const PERMISSIONS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;

/** What this process may do, as flags. What it may do in part is asked for by the names that are known. */
function permissionFlags(options: ChildAccess): string[] {
  const states = PERMISSIONS.map((name) => Deno.permissions.querySync({ name }));
  if (states.every(isWhole)) return [EVERYTHING];
  const flags: string[] = [];
  PERMISSIONS.forEach((name, i) => {
    if (isWhole(states[i])) return void flags.push(`--allow-${name}`);
    const parts = partsOf(name, options);
    if (parts.length > 0) flags.push(`--allow-${name}=${parts.join(",")}`);
  });
  return flags;
}

function isWhole(status: Deno.PermissionStatus): boolean {
  return status.state === "granted" && status.partial !== true;
}

/** What `--allow-sys` can name. */
const SYSTEM_FACTS = [
  "hostname",
  "osRelease",
  "osUptime",
  "loadavg",
  "networkInterfaces",
  "systemMemoryInfo",
  "uid",
  "gid",
  "username",
  "cpus",
  "homedir",
  "statfs",
] as const;

/** A comma parts the values of a flag, whatever is done to it: the nearest directory above without one is named instead. */
function withoutComma(path: string): string {
  const comma = path.indexOf(",");
  return comma < 0 ? path : path.slice(0, path.lastIndexOf("/", comma)) || "/";
}

function partsOf(
  name: typeof PERMISSIONS[number],
  { reads, writes, nets, variables }: ChildAccess,
): string[] {
  const isGranted = (descriptor: Deno.PermissionDescriptor) =>
    Deno.permissions.querySync(descriptor).state === "granted";
  switch (name) {
    case "read":
      return reads.map(withoutComma).filter((path) => isGranted({ name, path }));
    case "write":
      return writes.map(withoutComma).filter((path) => isGranted({ name, path }));
    case "net":
      return nets.filter((host) => isGranted({ name, host }));
    case "env":
      return variables.filter((variable) => isGranted({ name, variable }));
    case "sys":
      return SYSTEM_FACTS.filter((kind) => isGranted({ name, kind } as Deno.SysPermissionDescriptor));
    default:
      return [];
  }
}
