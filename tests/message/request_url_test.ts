// A request's URL is the one that the URL standard makes.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { requestOf } from "../helpers/incoming.ts";

Deno.test("The URL of a request is its target at its host", () => {
  assert.equal(requestOf({ target: "/" }).url, "http://example.com/");
  assert.equal(requestOf({ target: "/a/b?c=d&e", host: "a.example:8080" }).url, "http://a.example:8080/a/b?c=d&e");
  assert.equal(requestOf({ scheme: "https", host: "a.example:443" }).url, "https://a.example/");
  assert.equal(requestOf({ host: "A.Example:80" }).url, "http://a.example/");
  assert.equal(requestOf({ host: "[::1]:8000" }).url, "http://[::1]:8000/");
});

Deno.test("The URL of a request in absolute form is its target, whatever Host says", () => {
  const request = requestOf({ target: "http://other.example:81/x?y", host: "example.com" });
  assert.equal(request.url, "http://other.example:81/x?y");
  assert.equal(requestOf({ target: "HTTP://Other.example" }).url, "http://other.example/");
});

Deno.test("The URL of OPTIONS * is told from that of OPTIONS /, as under Deno.serve", () => {
  const request = requestOf({ method: "OPTIONS", target: "*" });
  assert.equal(request.url, "http://example.com/*");
  assert.equal(request.method, "OPTIONS");
});

Deno.test("The URL of a request without a Host is the server's own", () => {
  assert.equal(requestOf({ host: "", minor: 0, target: "/x" }).url, "http://127.0.0.1:8000/x");
});

Deno.test("The URL of a request is resolved: dots, escapes, backslashes, what a browser leaves in a query", () => {
  const targets = [
    "/a/../b",
    "/a/./b",
    "/..",
    "/%2e%2E/x",
    "/a%2e",
    "/a/.%2e/b",
    "//other.example/x",
    "/\\other.example",
    "/a|b?c|d",
    "/a'b?c'd",
    '/a"b?c"d',
    "/a`b{c}^?`{}^",
    "/<>?<>",
    "/%",
    "/%zz",
    "/?",
    "/??",
    "/a;b=c,d:e@f!$&()*+",
    "/[x]?[x]",
    "/x?y=/../z",
    "/.well-known/x",
    "/...",
    "/a.../b",
  ];
  for (const target of targets) {
    assert.equal(requestOf({ target }).url, new URL(`http://example.com${target}`).href, target);
  }
});

const visible = fc.integer({ min: 0x21, max: 0x7e }).filter((code) => code !== 0x23).map((code) =>
  String.fromCharCode(code)
);
const tricky = fc.constantFrom(
  "/",
  ".",
  "..",
  "%2e",
  "%2E",
  "%",
  "\\",
  "?",
  "'",
  "@",
  ":",
  "//",
  "/./",
  "|",
  "\t".trim(),
);
const targets = fc.array(fc.oneof(visible, tricky), { maxLength: 20 }).map((parts) => `/${parts.join("")}`);
const hosts = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom("localhost", "EXAMPLE.com", "a_b", "a-", "xn--bcher-kva.example", "1.2", "0x7f.1", "a%41"),
);
const ports = fc.oneof(
  fc.constant(""),
  fc.integer({ min: 0, max: 65_535 }).map((port) => `:${port}`),
  fc.constant(":"),
);

Deno.test("The URL of any request that is accepted is what the URL standard makes of it", () => {
  fc.assert(
    fc.property(
      targets,
      hosts,
      ports,
      fc.constantFrom("http" as const, "https" as const),
      (target, name, port, scheme) => {
        const host = name + port;
        let request;
        try {
          request = requestOf({ target, host, scheme });
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
          return;
        }
        assert.equal(request.url, new URL(`${scheme}://${host}${target}`).href);
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("The URL of any request in absolute form is what the URL standard makes of it", () => {
  fc.assert(
    fc.property(targets, hosts, ports, (path, name, port) => {
      const target = `http://${name}${port}${path}`;
      let request;
      try {
        request = requestOf({ target });
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
        return;
      }
      assert.equal(request.url, new URL(target).href);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("Any host that is accepted makes a URL, and nothing but a ProtocolError refuses one", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(visible, tricky), { minLength: 1, maxLength: 12 }), (parts) => {
      const host = parts.join("");
      try {
        const { url } = requestOf({ host });
        assert.equal(url, new URL(`http://${host}/`).href);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${host}: ${error}`);
      }
    }),
    { numRuns: 2_000 },
  );
});
