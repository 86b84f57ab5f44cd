// What the protocol of a connection is made of: phases that are passed, and waits.

import type { Phase } from "./phases.ts";

/** A phase that is passed, or something to wait for. */
export type Step = Phase | PromiseLike<unknown>;

/** A part of the protocol. What a wait brings comes back from its `yield`; a wait for the socket may throw there. */
export type Steps<Result = void> = Generator<Step, Result, unknown>;
