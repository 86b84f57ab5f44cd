// How to be a Headers over the text of a request head.
// Reading costs what is read. As under Deno.serve, nothing can be changed.

import type { RequestHead } from "../wire/request_head.ts";
import { forbidChanges, nativeOf, standFor } from "./native.ts";

const NativeHeaders = nativeOf(globalThis.Headers);

/** Names that can be looked up as they are, once in lower case; anything else is the native class's to judge. */
const PLAIN_NAME = /^[a-z0-9\-_]+$/;

/** The fields of a request; a Headers for everything that takes one. */
export class LazyHeaders {
  #head: RequestHead;
  #real: Headers | null = null;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  /** The native Headers that stands for these. */
  static real(headers: LazyHeaders): Headers {
    return headers.#real ??= forbidChanges(new NativeHeaders(headers.#head.fields()));
  }

  /** Lets the Headers of a native Request stand for these. */
  static standIn(headers: LazyHeaders, real: Headers): void {
    headers.#real = forbidChanges(real);
  }

  /** Pairs that make the same Headers anew. */
  static pairs(headers: LazyHeaders): [string, string][] {
    return headers.#head.fields();
  }

  get(name: string): string | null {
    if (this.#real !== null) return this.#real.get(name);
    const lower = `${name}`.toLowerCase();
    return PLAIN_NAME.test(lower) ? this.#head.field(lower) : LazyHeaders.real(this).get(name);
  }

  has(name: string): boolean {
    return this.#real === null ? this.get(name) !== null : this.#real.has(name);
  }

  forEach(call: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this.#sorted()) call.call(self, value, name, this as unknown as Headers);
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.#sorted()) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.#sorted()) yield value;
  }

  entries(): IterableIterator<[string, string]> {
    return this.#sorted().values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  append(_name: string, _value: string): never {
    throw immutable();
  }

  set(_name: string, _value: string): never {
    throw immutable();
  }

  delete(_name: string): never {
    throw immutable();
  }

  getSetCookie(): string[] {
    return LazyHeaders.real(this).getSetCookie();
  }

  /** Sorted and combined, as the Fetch standard iterates ("sort and combine"); the caller's own. */
  #sorted(): [string, string][] {
    if (this.#real !== null) return [...this.#real];
    const list = this.#head.fields().sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    let last: [string, string] | null = null;
    let length = 0;
    for (const field of list) {
      if (last !== null && field[0] === last[0] && field[0] !== "set-cookie") last[1] += `, ${field[1]}`;
      else list[length++] = last = field;
    }
    list.length = length;
    return list;
  }
}

function immutable(): TypeError {
  return new TypeError(
    "Cannot change the headers of a request: they are immutable; make a new Headers(request.headers)",
  );
}

standFor(LazyHeaders, NativeHeaders, new NativeHeaders(), LazyHeaders.real);
