// Starts further processes of this program with Node, with the flags that this process was given.

import { spawn, type StdioOptions } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isForeign } from "./node_foreign.ts";
import { answerRequests, closeShared } from "./node_handles.ts";
import { process } from "./node_process.ts";
import type { Child, ChildEnd, Children } from "./ports.ts";

/** Flags that children do not get. Two debuggers cannot share a port, and only the supervisor restarts. */
const NOT_INHERITED = /^--(inspect|watch|cpu-prof|heap-prof)/;
/** Those of them whose value may be the next word. */
const VALUE_FOLLOWS = /^--(cpu-prof|heap-prof)-(dir|name|interval)$|^--watch-path$|^--inspect-port$/;

/** Node opens its debugger on USR1, before the program has a listener for it. */
const NO_DEBUGGER = "--disable-sigusr1";

/** Child processes on Node. */
export const children: Children = {
  // Node has no permissions by default, and children get the flags of this process.
  limitsOf: () => null,
  configFor: () => undefined,
  // An application's packages are found beside it, so there is never a reason to start again.
  command: () => ({ main: process.argv[1] ?? "", isConfigured: true }),
  flagsOf: () => "",
  startAgain() {
    throw new Error("Node reads no configuration for which it would have to start again");
  },
  moduleAt: (path, base) => new URL(`${path}.js`, base).href,
  startSelf({ module, args, env, descriptor }): Child {
    const child = spawn(process.execPath, [...ownFlags(), fileURLToPath(module), ...args], {
      env: { ...process.env, ...env },
      stdio: streamsWith(descriptor),
    });
    if (!isForeign) answerRequests(child);
    const ended = new Promise<ChildEnd>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code: code ?? 1, signal }));
      // It could not be started.
      child.once("error", () => child.pid === undefined && resolve({ code: 1, signal: null }));
    });
    return {
      pid: child.pid ?? 0,
      ended,
      kill: (signal) => void child.kill(signal),
    };
  },
  closeShared,
};

/** The streams of a child, with an inherited socket under the number that it has here, and a channel for requests. */
function streamsWith(descriptor: number | undefined): StdioOptions {
  const streams: ("ignore" | "inherit" | "ipc" | number)[] = ["ignore", "inherit", "inherit"];
  if (descriptor !== undefined) {
    while (streams.length <= descriptor) streams.push("ignore");
    streams[descriptor] = descriptor;
  }
  // Only Node sends sockets over it.
  if (!isForeign) streams.push("ipc");
  return streams;
}

/** The flags of this process that children get. */
function ownFlags(): string[] {
  const { execArgv } = process;
  const flags = execArgv.filter((flag, i) => {
    return !NOT_INHERITED.test(flag) && !VALUE_FOLLOWS.test(execArgv[i - 1] ?? "");
  });
  if (process.allowedNodeEnvironmentFlags.has(NO_DEBUGGER) && !flags.includes(NO_DEBUGGER)) flags.push(NO_DEBUGGER);
  return flags;
}
