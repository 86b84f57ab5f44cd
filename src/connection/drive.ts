// Two ways to drive a connection to its end over the same protocol: `run`, and an async iterator that stops between phases.

import { StorageError } from "../platform/errors.ts";
import type { Connection } from "./connection.ts";
import { ConnectionLost } from "./endings.ts";
import type { Phase, Turn } from "./phases.ts";
import { protocol } from "./protocol.ts";
import type { Step, Steps } from "./steps.ts";

/** What a connection failed with: ResponseBroken if the application's stream failed, anything else is an error of Weft. */
export interface Failure {
  readonly error: unknown;
}

/** Called when a connection has ended; the failure is null if there was none. */
type Ended<One extends Connection> = (connection: One, failure: Failure | null) => void;

/**
 * Drives a connection to its end, which is also that of a protocol that has taken it over. Its phases are not read.
 *
 * @param connection the connection, not driven before
 * @param ended called once. A callback takes less memory than a caller that waits.
 * @returns resolved when HTTP is over; never rejected
 */
export async function run<One extends Connection>(connection: One, ended: Ended<One>): Promise<void> {
  let failure: Failure | null = null;
  try {
    const steps = protocol(connection);
    let step = steps.next();
    while (step.done !== true) {
      if (typeof step.value === "string") {
        step = steps.next();
        continue;
      }
      let arrived: unknown;
      try {
        arrived = await step.value;
      } catch (error) {
        step = steps.throw(nameFailure(error));
        continue;
      }
      step = steps.next(arrived);
    }
  } catch (error) {
    failure = { error };
  }
  if (connection.handedOver === null) ended(connection, failure);
  else endLater(connection, connection.handedOver, ended);
}

/** Not awaited in `run`, which would keep the steps of HTTP meanwhile. */
function endLater<One extends Connection>(connection: One, handedOver: Promise<void>, ended: Ended<One>): void {
  handedOver.then(() => ended(connection, null), (error) => ended(connection, { error }));
}

/** Only the socket and the disk can fail a wait of the protocol. */
function nameFailure(error: unknown): Error {
  return error instanceof StorageError ? error : new ConnectionLost(error);
}

/**
 * A connection as an async iterator over turns. `for await` crosses the waits, and `for` crosses the phases between two
 * waits. Each phase is passed only when it is asked for, so every phase is a place to stop.
 *
 * ```ts ignore
 * for await (const turn of new Turns(connection)) {
 *   for (const phase of turn) note(phase);
 * }
 * ```
 */
export class Turns implements AsyncIterableIterator<Turn> {
  #connection: Connection;
  #steps: Steps;
  #turn: IteratorResult<Turn>;
  /** What the last turn ended with; null before the first turn and after the last. */
  #wait: PromiseLike<unknown> | null = null;
  /** What the wait brought: handed to the protocol by the next turn. */
  #arrived: unknown = undefined;
  #failed = false;
  #isOver = false;

  /** @param connection the connection, not driven before */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#steps = protocol(connection);
    const next = () => this.#nextPhase();
    const turn: IterableIterator<Phase> = { [Symbol.iterator]: () => turn, next };
    this.#turn = { done: false, value: turn };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next turn, after what the last one waited for. */
  next(): Promise<IteratorResult<Turn>> {
    const wait = this.#wait;
    if (wait === null) return Promise.resolve(this.#isOver ? DONE : this.#turn);
    this.#wait = null;
    return Promise.resolve(wait).then(this.#onArrived, this.#onFailed);
  }

  /** Stops: the connection is closed. */
  return(): Promise<IteratorResult<Turn>> {
    // A read that is under way fails when the socket closes, and nothing waits for it any more.
    this.#wait?.then(null, () => {});
    this.#steps.return();
    // A protocol that has not begun has not closed the socket either.
    if (this.#connection.isOpen) this.#connection.end({ why: "complete" });
    this.#end();
    return Promise.resolve(DONE);
  }

  #nextPhase(): IteratorResult<Phase> {
    if (this.#isOver || this.#wait !== null) return DONE;
    const arrived = this.#arrived;
    this.#arrived = undefined;
    let step: IteratorResult<Step, void>;
    try {
      step = this.#failed ? this.#throwIn(arrived) : this.#steps.next(arrived);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (typeof step.value === "string") return step as IteratorResult<Phase>;
    this.#wait = step.done === true ? this.#connection.handedOver : step.value as PromiseLike<unknown>;
    // When that wait is over, the steps are done once more.
    if (step.done === true) this.#connection.handedOver = null;
    if (this.#wait === null) this.#end();
    return DONE;
  }

  #throwIn(error: unknown): IteratorResult<Step, void> {
    this.#failed = false;
    return this.#steps.throw(nameFailure(error));
  }

  #end(): void {
    this.#isOver = true;
    this.#wait = null;
    this.#connection.enterClosed();
  }

  #onArrived = (value: unknown): IteratorResult<Turn> => {
    this.#arrived = value;
    return this.#turn;
  };

  #onFailed = (error: unknown): IteratorResult<Turn> => {
    this.#arrived = error;
    this.#failed = true;
    return this.#turn;
  };
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
