// Starts programs of the system with Node.

import { spawn } from "node:child_process";
import { ProgramMissing } from "./errors.ts";
import { process } from "./node_process.ts";
import type { ChildEnd, Program, ProgramOptions, Programs } from "./ports.ts";
import { withResolvers } from "./resolvers.ts";

/** Programs on Node. */
export const programs: Programs = {
  start({ command, args, onStderr }: ProgramOptions): Program {
    const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe"] });
    // Told by `pid` below, or by how the program ends. Without a listener it would end this process.
    child.on("error", () => {});
    if (child.pid === undefined) throw new ProgramMissing(`there is no program ${command}, or it cannot be started`);
    const { stdin, stderr } = child;
    // It fails if the program has ended, and then there is nothing to tell it.
    stdin.on("error", () => {});
    stderr.on("data", (bytes: Uint8Array) => onStderr(bytes));
    const ended = withResolvers<ChildEnd>();
    const silent = withResolvers<void>();
    child.on("exit", (code, signal) => ended.resolve({ code: code ?? 0, signal }));
    stderr.on("close", () => silent.resolve());
    return { ended: ended.promise, silent: silent.promise, closeStdin: () => void stdin.end() };
  },
  killGroup(leader) {
    try {
      process.kill(-leader, "SIGKILL");
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ESRCH") throw error;
    }
  },
};
