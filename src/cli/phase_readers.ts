// Makes the readers of phases that the configuration asks for.
// A reader that is not asked for is not loaded.

import type { PhaseReader } from "../connection/phases.ts";
import type { LineWriter } from "../inspect/line_writer.ts";
import { Failure } from "../platform/failure.ts";
import { messageOf } from "../platform/log.ts";
import type { FileSink, Log, Platform } from "../platform/ports.ts";
import type { Configuration } from "./configuration.ts";

/** The readers of phases of a process. */
export interface PhaseReaders {
  readers: PhaseReader[];
  /** Writes what they have kept back. */
  flush(): void;
}

/**
 * Makes the readers of phases that were asked for.
 *
 * @param configuration says which
 * @param context the runtime and the log
 * @returns the readers, in the order in which they are told
 * @throws {Failure} if the access log cannot be written
 */
export async function phaseReadersFor(
  configuration: Configuration,
  { platform, log }: { platform: Platform; log: Log },
): Promise<PhaseReaders> {
  const { clock, process, files } = platform;
  const { pid } = process;
  const readers: PhaseReader[] = [];
  let writer: LineWriter | null = null;
  if (configuration.debug) {
    const { trace } = await import("../inspect/trace.ts");
    readers.push(trace({ write: process.stderr, pid }));
  }
  if (configuration.uploadProgress) {
    const { uploads } = await import("../progress/upload_progress.ts");
    readers.push(uploads.reader);
  }
  if (configuration.bench) {
    const { stopwatch } = await import("../inspect/stopwatch.ts");
    readers.push(stopwatch({ write: process.stderr, pid, now: clock.now }));
  }
  const { accessLog: path, logFormat: format } = configuration;
  if (path !== null) {
    const [{ accessLog }, { LineWriter }] = await Promise.all([
      import("../inspect/access_log.ts"),
      import("../inspect/line_writer.ts"),
    ]);
    const lines = writer = new LineWriter(path === "-" ? process.stdout : appendTo(path, files, log), clock);
    readers.push(accessLog({ format, write: (line) => lines.write(line), now: clock.now, date: clock.date }));
  }
  return { readers, flush: () => writer?.flush() };
}

function appendTo(path: string, files: Platform["files"], log: Log): (text: string) => void {
  const file = openLog(path, files);
  const encoder = new TextEncoder();
  let isFailing = false;
  return (text) => {
    try {
      file.write(encoder.encode(text));
      isFailing = false;
    } catch (error) {
      // Requests go on; one line says so until lines can be written again.
      if (!isFailing) {
        log("ERROR", `--access-log: cannot write to ${path}: ${messageOf(error)}`);
      }
      isFailing = true;
    }
  };
}

function openLog(path: string, files: Platform["files"]): FileSink {
  try {
    return files.append(path);
  } catch (error) {
    throw Failure.usage(`--access-log: cannot write to ${path}: ${messageOf(error)}`);
  }
}
