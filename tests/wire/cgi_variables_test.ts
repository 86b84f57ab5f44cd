// Which variables a request becomes, from its head as it was sent.

import assert from "node:assert/strict";
import { type CgiPlace, cgiTarget, cgiVariables } from "../../src/wire/cgi_variables.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { headOf } from "../helpers/incoming.ts";

const PLACE: CgiPlace = {
  scheme: "http",
  host: null,
  remoteAddress: "192.0.2.7",
  remotePort: 40_000,
  localAddress: "192.0.2.1",
  localPort: 3000,
  software: "weft",
  bodyLength: -1,
};

function variables(head: string, place: Partial<CgiPlace> = {}): Record<string, string> {
  const parsed = headOf(`${head}\r\n\r\n`);
  const target = cgiTarget(parsed);
  const script = { scriptName: "", pathInfo: target.path };
  const list = cgiVariables(parsed, target, { script, place: { ...PLACE, ...place } });
  assert.equal(new Set(list.map(([name]) => name)).size, list.length, "each name once");
  return Object.fromEntries(list);
}

/** The variables that come from fields. */
function fields(...lines: string[]): Record<string, string> {
  const all = Object.entries(variables(["GET / HTTP/1.1", "Host: h", ...lines].join("\r\n")));
  return Object.fromEntries(all.filter(([name]) => /^(HTTP_|CONTENT_)/.test(name) && name !== "HTTP_HOST"));
}

Deno.test("A request becomes the variables of RFC 3875", () => {
  assert.deepEqual(variables("GET /shop/a%20b?q=1&r=%2F HTTP/1.1\r\nHost: shop.example:8080"), {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_SOFTWARE: "weft",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_NAME: "shop.example",
    SERVER_ADDR: "192.0.2.1",
    SERVER_PORT: "3000",
    REMOTE_ADDR: "192.0.2.7",
    REMOTE_PORT: "40000",
    REQUEST_METHOD: "GET",
    REQUEST_SCHEME: "http",
    REQUEST_URI: "/shop/a%20b?q=1&r=%2F",
    QUERY_STRING: "q=1&r=%2F",
    SCRIPT_NAME: "",
    PATH_INFO: "/shop/a b",
    HTTP_HOST: "shop.example:8080",
  });
});

const PATHS: [target: string, pathInfo: string, query: string][] = [
  ["/", "/", ""],
  ["/?", "/", ""],
  ["/a?b?c", "/a", "b?c"],
  ["/?keyword+another", "/", "keyword+another"],
  ["/a%2Fb", "/a/b", ""],
  ["/a%20b+c", "/a b+c", ""],
  ["/%C3%A4", "/\xc3\xa4", ""],
  ["/%ff", "/\xff", ""],
  ["//a//b/", "//a//b/", ""],
  ["/a/../b/./c", "/a/../b/./c", ""],
  ["/%2e%2e/x", "/../x", ""],
  ["/a%3Fb", "/a?b", ""],
  ["/a%25zz", "/a%zz", ""],
  ["/x?%zz", "/x", "%zz"],
];

for (const [target, pathInfo, query] of PATHS) {
  Deno.test(`The target ${target} keeps its REQUEST_URI and has a decoded PATH_INFO`, () => {
    const { REQUEST_URI, PATH_INFO, QUERY_STRING } = variables(`GET ${target} HTTP/1.1\r\nHost: h`);
    assert.deepEqual({ REQUEST_URI, PATH_INFO, QUERY_STRING }, {
      REQUEST_URI: target,
      PATH_INFO: pathInfo,
      QUERY_STRING: query,
    });
  });
}

for (const target of ["/%zz", "/%", "/a%4", "/%4g/", "/a%00b"]) {
  Deno.test(`The target ${target} is the client's mistake`, () => {
    assert.throws(
      () => variables(`GET ${target} HTTP/1.1\r\nHost: h`),
      (error) => error instanceof ProtocolError && error.status === 400,
    );
  });
}

const ABSOLUTE: [target: string, uri: string, host: string][] = [
  ["http://a.example/x%20y?q", "/x%20y?q", "a.example"],
  ["http://a.example:81", "/", "a.example:81"],
  ["http://a.example?q=1", "/?q=1", "a.example"],
];

for (const [target, uri, host] of ABSOLUTE) {
  Deno.test(`The absolute target ${target} is told by its path, and overrides Host`, () => {
    const { REQUEST_URI, HTTP_HOST, SERVER_NAME } = variables(`GET ${target} HTTP/1.1\r\nHost: other.example`);
    assert.deepEqual({ REQUEST_URI, HTTP_HOST, SERVER_NAME }, {
      REQUEST_URI: uri,
      HTTP_HOST: host,
      SERVER_NAME: "a.example",
    });
  });
}

Deno.test("The host that a trusted proxy tells overrides that of the request", () => {
  const told = variables("GET / HTTP/1.1\r\nHost: inside:81", { host: "shop.example", scheme: "https" });
  assert.deepEqual([told.HTTP_HOST, told.SERVER_NAME, told.HTTPS], ["shop.example", "shop.example", "on"]);
});

Deno.test("The target * is told as it is", () => {
  const { REQUEST_URI, PATH_INFO, REQUEST_METHOD } = variables("OPTIONS * HTTP/1.1\r\nHost: h");
  assert.deepEqual({ REQUEST_URI, PATH_INFO, REQUEST_METHOD }, {
    REQUEST_URI: "*",
    PATH_INFO: "/",
    REQUEST_METHOD: "OPTIONS",
  });
});

const NAMES: [host: string, name: string][] = [
  ["example.com", "example.com"],
  ["example.com:8080", "example.com"],
  ["[2001:db8::1]", "[2001:db8::1]"],
  ["[2001:db8::1]:8080", "[2001:db8::1]"],
];

for (const [host, name] of NAMES) {
  Deno.test(`The host ${host} names the server ${name}`, () => {
    assert.equal(variables(`GET / HTTP/1.1\r\nHost: ${host}`).SERVER_NAME, name);
  });
}

Deno.test("A request without Host names the address where it came in", () => {
  const { SERVER_NAME, SERVER_PROTOCOL, HTTP_HOST } = variables("GET / HTTP/1.0");
  assert.deepEqual({ SERVER_NAME, SERVER_PROTOCOL, HTTP_HOST }, {
    SERVER_NAME: "192.0.2.1",
    SERVER_PROTOCOL: "HTTP/1.0",
    HTTP_HOST: undefined,
  });
});

Deno.test("HTTPS is told by its scheme and a variable of its own", () => {
  const { HTTPS, REQUEST_SCHEME } = variables("GET / HTTP/1.1\r\nHost: h", { scheme: "https" });
  assert.deepEqual({ HTTPS, REQUEST_SCHEME }, { HTTPS: "on", REQUEST_SCHEME: "https" });
  assert.equal("HTTPS" in variables("GET / HTTP/1.1\r\nHost: h"), false);
});

Deno.test("A client over a Unix socket has no port", () => {
  const told = variables("GET / HTTP/1.1\r\nHost: h", { remoteAddress: "unix:", remotePort: 0 });
  assert.equal(told.REMOTE_ADDR, "unix:");
  assert.equal("REMOTE_PORT" in told, false);
});

Deno.test("The length of a body is told if there is one, also if it is 0", () => {
  const lengthOf = (bodyLength: number) => variables("POST / HTTP/1.1\r\nHost: h", { bodyLength }).CONTENT_LENGTH;
  assert.deepEqual([-1, 0, 17].map(lengthOf), [undefined, "0", "17"]);
});

const FIELDS: [name: string, lines: string[], told: Record<string, string>][] = [
  ["a field", ["X-Thing: a"], { HTTP_X_THING: "a" }],
  ["an empty field", ["X-Empty:"], { HTTP_X_EMPTY: "" }],
  ["repeated fields in one", ["X-A: 1", "X-B: 2", "x-a: 3"], { HTTP_X_A: "1, 3", HTTP_X_B: "2" }],
  ["repeated cookies with a semicolon", ["Cookie: a=1", "Cookie: b=2"], { HTTP_COOKIE: "a=1; b=2" }],
  ["a field with bytes above ASCII", ["X-Name: \xc3\xa4"], { HTTP_X_NAME: "\xc3\xa4" }],
  ["credentials", ["Authorization: Basic eDp5"], { HTTP_AUTHORIZATION: "Basic eDp5" }],
  ["the type of a body without HTTP_", ["Content-Type: text/plain"], { CONTENT_TYPE: "text/plain" }],
  ["a repeated type of a body once", ["Content-Type: a/b", "Content-Type: c/d"], { CONTENT_TYPE: "a/b, c/d" }],
  ["no field with an underscore, which could stand for another", ["X_Thing: a", "X-Thing: b"], { HTTP_X_THING: "b" }],
  ["no field with a sign that a variable cannot have", ["X.Thing: a", "X!: b"], {}],
  ["no Proxy, which programs take for a proxy of theirs", ["Proxy: http://evil.example/"], {}],
  ["a field that names a user only as a field", ["Remote-User: root"], { HTTP_REMOTE_USER: "root" }],
];

for (const [name, lines, told] of FIELDS) {
  Deno.test(`Variables have ${name}`, () => assert.deepEqual(fields(...lines), told));
}

Deno.test("The coding of a body is not told, because it was taken off", () => {
  const told = variables("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked", { bodyLength: 3 });
  assert.equal(told.CONTENT_LENGTH, "3");
  assert.equal("HTTP_TRANSFER_ENCODING" in told, false);
});

Deno.test("A client cannot name the user, whatever it sends", () => {
  const told = variables("GET / HTTP/1.1\r\nHost: h\r\nREMOTE_USER: root\r\nRemote-User: root\r\nAuth-Type: Basic");
  assert.deepEqual([told.REMOTE_USER, told.AUTH_TYPE], [undefined, undefined]);
});

Deno.test("A script adds variables of its own", () => {
  const head = headOf("GET /a.php/x HTTP/1.1\r\nHost: h\r\n\r\n");
  const list = cgiVariables(head, cgiTarget(head), {
    script: { scriptName: "/a.php", pathInfo: "/x", more: [["SCRIPT_FILENAME", "/srv/a.php"]] },
    place: PLACE,
  });
  const { SCRIPT_NAME, PATH_INFO, SCRIPT_FILENAME } = Object.fromEntries(list);
  assert.deepEqual([SCRIPT_NAME, PATH_INFO, SCRIPT_FILENAME], ["/a.php", "/x", "/srv/a.php"]);
});
