// What wraps a handler in some servers only: a limit of requests in flight, and compression.

import type { Handler } from "../message/handler.ts";
import type { ApplicationOptions } from "./application.ts";
import { compressed } from "./compression.ts";
import { InFlight } from "./in_flight.ts";

/** Which parts a server needs. */
export interface LatePartsOptions {
  readonly isCompressed: boolean;
  /** 0 for no limit. */
  readonly maxInFlight: number;
}

/** What stands between the engine and a handler. */
export interface LateParts {
  readonly handler: Handler;
  readonly transform: NonNullable<ApplicationOptions["transform"]>;
}

/**
 * Makes the parts for a handler.
 *
 * @param handler answers each request
 * @param options which parts
 * @returns the handler to call, and what changes its answers
 */
export function makeLateParts(handler: Handler, { isCompressed, maxInFlight }: LatePartsOptions): LateParts {
  return {
    handler: maxInFlight > 0 ? new InFlight(handler, maxInFlight).handler : handler,
    transform: isCompressed ? compressed : (answer) => answer,
  };
}
