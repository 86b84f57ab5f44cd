// The handler's Headers behave as the native class does.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { canBorrowHeaders, headOf, requestOf } from "../helpers/incoming.ts";

const FIELDS = "X-B: 2\r\nAccept: a\r\nx-a: 1\r\naccept:  b \r\nCookie: c=1\r\nSet-Cookie: e=1\r\nset-cookie: f=2\r\n";

/** The handler's Headers, and the native ones that they must not be told from. */
function both(fields = FIELDS): [lazy: Headers, native: Headers] {
  const pairs = headOf(`GET / HTTP/1.1\r\nhost: example.com\r\n${fields}\r\n`).fields();
  return [requestOf({ fields }).headers, new Headers(pairs)];
}

Deno.test("LazyHeaders finds a field, whatever the case, several joined into one", () => {
  const [lazy, native] = both();
  for (const name of ["x-a", "X-A", "accept", "ACCEPT", "cookie", "set-cookie", "Host", "missing", "x-"]) {
    assert.equal(lazy.get(name), native.get(name), name);
    assert.equal(lazy.has(name), native.has(name), name);
  }
  assert.equal(lazy.get("accept"), "a, b");
});

Deno.test("LazyHeaders refuses a name that is none", () => {
  const [lazy] = both();
  for (const name of ["", "a b", "a:", "\u00e9", "a\r\n"]) {
    assert.throws(() => lazy.get(name), TypeError, JSON.stringify(name));
    assert.throws(() => lazy.has(name), TypeError);
  }
});

Deno.test("LazyHeaders iterates sorted and combined, set-cookie apart, by every way there is", () => {
  const [lazy, native] = both();
  const expected = [...native];
  assert.deepEqual([...lazy], expected);
  assert.deepEqual([...lazy.entries()], expected);
  assert.deepEqual([...lazy.keys()], [...native.keys()]);
  assert.deepEqual([...lazy.values()], [...native.values()]);
  assert.deepEqual(Object.fromEntries(lazy), Object.fromEntries(native));
  const each: [string, string][] = [];
  const self = {};
  lazy.forEach(function (this: unknown, value, name, headers) {
    assert.equal(this, self);
    assert.equal(headers, lazy);
    each.push([name, value]);
  }, self);
  assert.deepEqual(each, expected);
  assert.deepEqual(lazy.getSetCookie(), ["e=1", "f=2"]);
});

Deno.test("LazyHeaders joins Cookie lines with a semicolon on every path, and equal lengths are one", () => {
  const fields = "Cookie: a=1\r\nX-A: 1\r\ncookie: b=2\r\nContent-Length: 0\r\nX-A: 2\r\ncontent-length: 0\r\n";
  const expected = [["content-length", "0"], ["cookie", "a=1; b=2"], ["host", "example.com"], ["x-a", "1, 2"]];
  const touches: ((request: Request) => unknown)[] = [
    () => {},
    (request) => request.clone(),
    ({ headers }) => headers.getSetCookie(),
    ({ headers }) => canBorrowHeaders && Headers.prototype.has.call(headers, "cookie"),
  ];
  for (const touch of touches) {
    const request = requestOf({ fields });
    touch(request);
    for (const headers of [request.headers, request.clone().headers, new Request(request).headers]) {
      assert.deepEqual([...headers], expected);
      assert.deepEqual([...headers.entries()], expected);
      assert.equal(headers.get("Cookie"), "a=1; b=2");
      assert.equal(headers.get("Content-Length"), "0");
    }
    assert.deepEqual([...new Headers(request.headers)], expected);
  }
  const untouched = requestOf({ fields }).headers;
  assert.equal(untouched.get("cookie"), "a=1; b=2");
  assert.deepEqual([...untouched.values()], expected.map(([, value]) => value));
});

Deno.test("LazyHeaders gives pairs that are the caller's own", () => {
  const [lazy] = both();
  for (const pair of lazy) pair[1] = "changed";
  assert.equal(lazy.get("x-a"), "1");
  assert.ok([...lazy].every(([, value]) => value !== "changed"));
});

Deno.test("LazyHeaders cannot be changed, as under Deno.serve, by no way that reaches them", () => {
  const changes: ((headers: Headers) => void)[] = [
    (headers) => headers.set("x-a", "new"),
    (headers) => headers.append("accept", "c"),
    (headers) => headers.delete("cookie"),
    ...canBorrowHeaders ? [(headers: Headers) => Headers.prototype.set.call(headers, "x-a", "new")] : [],
  ];
  for (const touch of [() => {}, (request: Request) => void request.clone(), (request: Request) => void request.body]) {
    const request = requestOf({ fields: "x-a: 1\r\ncookie: a=1\r\n", method: "POST" });
    touch(request);
    const before = [...request.headers];
    // On Node those of a clone can be changed: only Node's own class can have the state that forbids it.
    for (const headers of [request.headers, ...canBorrowHeaders ? [request.clone().headers] : []]) {
      for (const change of changes) assert.throws(() => change(headers), { name: "TypeError", message: /immutable/ });
    }
    assert.deepEqual([...request.headers], before);
  }
});

Deno.test("A copy of a request's headers can be changed, and leaves the request as it is", () => {
  const request = requestOf({ fields: "x-a: 1\r\n" });
  for (
    const copy of [
      new Headers(request.headers),
      new Request(request).headers,
      new Request("http://a/", request).headers,
    ]
  ) {
    copy.set("x-a", "2");
    assert.equal(copy.get("x-a"), "2");
  }
  assert.equal(request.headers.get("x-a"), "1");
});

Deno.test("LazyHeaders makes new Headers, and goes where headers go", () => {
  const [lazy, native] = both();
  assert.deepEqual([...new Headers(lazy)], [...native]);
  assert.deepEqual([...new Response(null, { headers: lazy }).headers], [...native]);
  assert.deepEqual([...new Request("http://a/", { headers: lazy }).headers], [...native]);
});

Deno.test("LazyHeaders answers like the native class for any fields", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,12}$/)
    .filter((text) => !/^(host|content-length|transfer-encoding|connection|expect|upgrade)$/i.test(text));
  const value = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)),
  });
  fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), fc.string(), (fields, asked) => {
    const [lazy, native] = both(fields.map((pair) => pair.join(": ") + "\r\n").join(""));
    for (const [known] of fields) assert.equal(lazy.get(known), native.get(known), known);
    assert.equal(attempt(() => lazy.get(asked)), attempt(() => native.get(asked)));
    assert.equal(attempt(() => lazy.has(asked)), attempt(() => native.has(asked)));
    assert.deepEqual([...lazy], [...native]);
    assert.deepEqual(lazy.getSetCookie(), native.getSetCookie());
  }));
});

function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as Error).constructor;
  }
}
