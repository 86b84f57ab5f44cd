// What a load's process and the harness say to each other: lines of JSON, and the end of standard input.
// A load says "ready" once it runs at its full size, and its result last; the harness measures in between.

/** A load as its process is told of it. */
export type OwnLoad =
  | { kind: "upload"; bytes: number }
  | { kind: "download"; bytes: number }
  | { kind: "events"; clients: number; milliseconds: number }
  | { kind: "idle"; connections: number }
  | { kind: "uploads"; connections: number }
  | { kind: "gets"; connections: number; milliseconds: number; mayFail?: boolean }
  | { kind: "fresh"; connections: number; milliseconds: number };

/** What a load has to tell in the end. */
export interface LoadResult {
  /** Requests, bytes or events, as the load counts. */
  done: number;
  seconds: number;
  p50Ms?: number;
  p99Ms?: number;
  /** Requests that found no answer and were asked again, if the load allows that. */
  failed?: number;
  errors: string[];
}

/** One line of a load's standard output. */
export type LoadLine = { ready: true } | { result: LoadResult };

/** Tells the harness that the load runs at its full size. */
export function sayReady(): void {
  say({ ready: true });
}

/** Tells the harness how it went. */
export function sayResult(result: LoadResult): void {
  say({ result });
}

/** Waits until the harness closes standard input. */
export async function waitStop(): Promise<void> {
  const buffer = new Uint8Array(64);
  while (await Deno.stdin.read(buffer) !== null);
}

/** Says what went wrong in a few words, each kind once. */
export function gatherErrors(errors: readonly unknown[]): string[] {
  const times = new Map<string, number>();
  for (const error of errors) {
    const text = error instanceof Error ? error.message : String(error);
    times.set(text, (times.get(text) ?? 0) + 1);
  }
  return [...times].map(([text, count]) => count > 1 ? `${count} x ${text}` : text);
}

function say(line: LoadLine): void {
  // A line is far shorter than what a pipe takes at once.
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}
