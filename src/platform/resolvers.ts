// A promise and what settles it, for every runtime: `Promise.withResolvers` is missing on Node 20.

/** A promise that is settled from outside. */
export interface Resolvers<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value | PromiseLike<Value>) => void;
  readonly reject: (reason?: unknown) => void;
}

/**
 * Makes a promise that is settled from outside.
 *
 * @returns the promise and the functions that settle it
 */
export function withResolvers<Value>(): Resolvers<Value> {
  let resolve!: Resolvers<Value>["resolve"];
  let reject!: Resolvers<Value>["reject"];
  const promise = new Promise<Value>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
