// Starts further processes of this program with Deno, with the flags that this process was given.
// A child never gets a permission that its parent does not have.

import { configurationFlags, namedConfig, ownCommand, replaceProcess } from "./deno_flags.ts";
import type { Child, ChildAccess, ChildOptions, Children } from "./ports.ts";

/** Flags that children do not get. Two debuggers cannot share a port, and only the supervisor restarts. */
const NOT_INHERITED = /^--(inspect|watch|cpu-prof|unstable-net$|no-prompt$)/;
/** Those of them whose value may be the next word. */
const VALUE_FOLLOWS = /^--cpu-prof-(dir|name|interval)$/;

/**
 * A larger young generation of V8's heap, in MiB, for a faster start. With the default size the garbage collector runs during
 * the start, and has to wake its threads. With this one it runs later, when the worker serves, and the process takes some
 * 9 MB more.
 */
const ROOM_TO_START = "--min-semi-space-size=8";

/** Child processes on Deno. */
export const children: Children = {
  limitsOf(options) {
    if (ownFlags() !== null) return null;
    const flags = permissionFlags(options);
    return flags.includes(EVERYTHING) ? null : flags.join(" ") || "no permission";
  },
  configFor(own) {
    const named = namedConfig(ownFlags() ?? []);
    return named === undefined ? own : named ?? undefined;
  },
  command() {
    const command = ownCommand();
    return command === null ? null : { main: command.main, isConfigured: namedConfig(command.flags) !== undefined };
  },
  flagsOf: (own) => configurationFlags(ownCommand()?.flags ?? [], own).join(" "),
  startAgain(own) {
    const command = ownCommand();
    if (command === null) throw new Error("the command line of this process cannot be seen");
    const { flags, main, args } = command;
    replaceProcess(["run", ...flags, ...configurationFlags(flags, own), main, ...args]);
  },
  // The published package has modules of JavaScript.
  moduleAt: (path, base) => new URL(path + base.slice(base.lastIndexOf(".")), base).href,
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
          // The child has ended, and `ended` resolves soon.
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
  if (options.isAwaited && !isRoomGiven) {
    // Deno 2.9.0 takes this flag only once, so what the user gave is part of the same word.
    const at = flags.findLastIndex((word) => word.startsWith("--v8-flags="));
    if (at < 0) flags.push(`--v8-flags=${ROOM_TO_START}`);
    else flags[at] += `,${ROOM_TO_START}`;
  }
  return [...flags, ...configurationFlags(flags, options.own)];
}

/** A variable of the environment; "" if it is not set or hidden. The user must not be prompted for a permission here. */
function variable(name: string): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) ?? "" : "";
}

/** The flags of this process that children get. Null if they cannot be seen. */
function ownFlags(): string[] | null {
  const flags = ownCommand()?.flags ?? null;
  return flags?.filter((flag, i) => !NOT_INHERITED.test(flag) && !VALUE_FOLLOWS.test(flags[i - 1] ?? "")) ?? null;
}

const EVERYTHING = "--allow-all";
const PERMISSIONS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;

/** The permissions of this process, as flags. For a partial permission, each name in `options` is checked by itself. */
function permissionFlags(options: ChildAccess): string[] {
  const permissions = PERMISSIONS.map((name) => ({ name, whole: isWhole(Deno.permissions.querySync({ name })) }));
  if (permissions.every(({ whole }) => whole)) return [EVERYTHING];
  const flags: string[] = [];
  for (const { name, whole } of permissions) {
    const parts = whole ? [] : partsOf(name, options);
    if (whole) flags.push(`--allow-${name}`);
    else if (parts.length > 0) flags.push(`--allow-${name}=${parts.join(",")}`);
  }
  return flags;
}

function isWhole(status: Deno.PermissionStatus): boolean {
  return status.state === "granted" && status.partial !== true;
}

/** The values of `--allow-sys`. */
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

/** A comma separates the values of a flag and cannot be escaped. The nearest parent directory without one is named instead. */
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
