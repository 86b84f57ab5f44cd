// Limits how many requests are answered at once. Those above the limit wait in a queue, and when that is full they are refused.
// A request is in flight from the call of its handler until its answer is sent, or until that can never be.

import type { Exchange } from "../connection/exchange.ts";
import { RequestInfo } from "../connection/request_info.ts";
import type { Handler, HandlerInfo } from "../message/handler.ts";

/** Seconds after which a client that was refused may try again: soon, because a place becomes free with each answer. */
const RETRY_AFTER = "1";

/** How many requests a limit has to do with. */
export interface InFlightFacts {
  readonly running: number;
  readonly waiting: number;
  /** Answered with 503, since the start. */
  readonly refused: number;
}

/** A handler with a limit. */
export class InFlight {
  /** Answers a request, perhaps after a wait. */
  readonly handler: Handler = (request, info) => this.#take(request, info);

  #inner: Handler;
  /** Most that run. As many more may wait. */
  #most: number;
  /** Changed by `#run`. */
  #running = 0;
  /** What starts each request that waits, the first at the front. Changed by `#wait` and `#startNext`. */
  #waiting = new Set<() => void>();
  /** Changed by `#take`. */
  #refused = 0;

  /**
   * @param handler answers each request
   * @param most how many may run at once
   */
  constructor(handler: Handler, most: number) {
    this.#inner = handler;
    this.#most = most;
  }

  facts(): InFlightFacts {
    return { running: this.#running, waiting: this.#waiting.size, refused: this.#refused };
  }

  #take(request: Request, info: HandlerInfo): Response | Promise<Response> {
    const exchange = RequestInfo.exchangeOf(info as RequestInfo);
    if (this.#running < this.#most) return this.#run(exchange, () => this.#inner(request, info));
    if (this.#waiting.size < this.#most) return this.#wait(exchange, () => this.#inner(request, info));
    this.#refused++;
    return new Response("503 Service Unavailable: too many requests are being answered\n", {
      status: 503,
      headers: { "retry-after": RETRY_AFTER },
    });
  }

  #run<Result>(exchange: Exchange, call: () => Result): Result {
    this.#running++;
    const leave = () => {
      this.#running--;
      this.#startNext();
    };
    exchange.completed.then(leave, leave);
    return call();
  }

  /** A client that leaves meanwhile leaves the queue. One that only ends its side may still read. */
  #wait(exchange: Exchange, call: () => Response | Promise<Response>): Promise<Response> {
    return new Promise((resolve, reject) => {
      const start = () => {
        try {
          resolve(this.#run(exchange, call));
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.add(start);
      exchange.completed.catch((reason) => {
        if (this.#waiting.delete(start)) reject(reason);
      });
    });
  }

  #startNext(): void {
    for (const start of this.#waiting) {
      this.#waiting.delete(start);
      return start();
    }
  }
}
