// What the console shows of an object: the named members, on Deno and on Node.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { showOnly } from "../../src/platform/shown.ts";

class Example {
  secret = "hidden";
  #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get name(): string {
    return this.#name;
  }

  static {
    showOnly(this, ["name"]);
  }
}

Deno.test("The console shows the named members, getters included, and nothing else", () => {
  const example = new Example("Ada");
  assert.match(inspect(example), /^\{ name: ["']Ada["'] \}$/);
  assert.match(Deno.inspect(example), /^\{ name: ["']Ada["'] \}$/);
  assert.deepEqual(Object.keys(example), ["secret"]);
});
