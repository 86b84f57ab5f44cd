// Knows: what a walk is made of, and the step that all its parts share.
// Does not know: where it leads.

import type { Connection } from "./connection.ts";
import type { Phase } from "./phases.ts";

/** A phase that is passed, or something that has to be waited for. */
export type Step = Phase | PromiseLike<unknown>;

/** The course of a connection, or a part of it. What a wait brings comes back from its `yield`. */
export type Walk<Result = void> = Generator<Step, Result, unknown>;

/**
 * Writes what waits in the outbox.
 *
 * @param connection whose outbox
 * @returns the part of the walk that does it
 */
export function* flush(connection: Connection): Walk {
  const { outbox } = connection;
  for (let write = outbox.write(); write !== null; write = outbox.write()) outbox.wrote((yield write) as number);
}
