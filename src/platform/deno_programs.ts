// Starts programs of the system with Deno.

import { ProgramMissing } from "./errors.ts";
import type { Program, ProgramOptions, Programs } from "./ports.ts";

/** Programs on Deno. */
export const programs: Programs = {
  start({ command, args, onStderr }: ProgramOptions): Program {
    const child = spawn(command, args);
    const stdin = child.stdin;
    let isStdinOpen = true;
    return {
      ended: child.status.then(({ code, signal }) => ({ code, signal })),
      silent: read(child.stderr, onStderr),
      closeStdin() {
        if (!isStdinOpen) return;
        isStdinOpen = false;
        // It fails if the program has ended, and then there is nothing to tell it.
        stdin.close().catch(() => {});
      },
    };
  },
  killGroup(leader) {
    try {
      Deno.kill(-leader, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  },
};

function spawn(command: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(command, { args: [...args], stdin: "piped", stdout: "null", stderr: "piped" }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ProgramMissing(`there is no program ${command}`, { cause: error });
  }
}

async function read(stream: ReadableStream<Uint8Array>, take: (bytes: Uint8Array) => void): Promise<void> {
  try {
    for await (const bytes of stream) take(bytes);
  } catch {
    // A pipe that cannot be read says no more.
  }
}
