// What the tests use and Node 20 lacks. Each module that names it imports it from here (scripts/npm/stage_tests.ts). Globals are
// not patched, because that would hide what the sources must not use.

import { withResolvers } from "../../src/platform/resolvers.ts";

/** Stands in for `Promise` and `Array`. */
export const newer = {
  withResolvers,
  async fromAsync<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
    const all: Item[] = [];
    for await (const item of items) all.push(item);
    return all;
  },
};

/** The part of `AsyncDisposableStack` that the tests use. Node 22 lacks it too. */
export class AsyncDisposableStack implements AsyncDisposable {
  readonly #held: (AsyncDisposable | Disposable)[] = [];

  use<Value extends AsyncDisposable | Disposable>(value: Value): Value {
    this.#held.push(value);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const value of this.#held.splice(0).reverse()) {
      if (Symbol.asyncDispose in value) await value[Symbol.asyncDispose]();
      else value[Symbol.dispose]();
    }
  }
}
