// What a head's fields decide, in ways that a file of the corpus cannot show.

import assert from "node:assert/strict";
import { HeadNotes, judgeHead } from "../../src/wire/head_facts.ts";
import { HeadReader } from "../../src/wire/head_reader.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import type { RequestHead } from "../../src/wire/request_head.ts";
import { decodeLatin1, latin1, LIMITS, refusal } from "../helpers/wire.ts";

function judge(line: string, ...fields: string[]): RequestHead {
  const bytes = latin1([line, ...fields, "", ""].join("\r\n"));
  const notes = new HeadNotes();
  const reader = new HeadReader(notes);
  reader.startHead(LIMITS.maxHeadBytes, LIMITS.maxRequestLineBytes);
  const length = reader.read(bytes, 0, bytes.length);
  reader.text = decodeLatin1(bytes, 0, length);
  return judgeHead(reader, notes);
}

function get(...fields: string[]): RequestHead {
  return judge("GET / HTTP/1.1", "Host: a.example", ...fields);
}

// First of its file: what was judged before must not matter, nor that nothing was.
Deno.test("An empty Host is no host, as the first request of a process and as a later one", () => {
  assert.equal(judge("GET / HTTP/1.1", "Host:").host, "");
  assert.equal(get().host, "a.example");
  assert.equal(judge("GET / HTTP/1.1", "Host:").host, "");
  assert.equal(judge("GET / HTTP/1.0", "Host: ").host, "");
  assert.equal(refusal(() => judge("GET / HTTP/1.1", "Host:", "Host: a")), "400 bad-host");
  assert.equal(refusal(() => judge("GET / HTTP/1.1", "Host: :80")), "400 bad-host");
});

Deno.test("A host that was refused once is refused again, a good one is good again", () => {
  for (let i = 0; i < 2; i++) {
    assert.equal(refusal(() => judge("GET / HTTP/1.1", "Host: a/b")), "400 bad-host");
    assert.equal(judge("GET / HTTP/1.1", "Host: b.example").host, "b.example");
    assert.equal(judge("GET / HTTP/1.1", "Host: B.example").host, "B.example");
  }
});

Deno.test("What is accepted as a host makes a URL", () => {
  for (
    const host of ["a", "a:0", "a:", "1.2.3.4", "[::1]", "[::ffff:1.2.3.4]:1", "a_b", "xn--bcher-kva.example", "a%20"]
  ) {
    const isUrl = URL.canParse(`http://${host}/`);
    assert.equal(refusal(() => judge("GET / HTTP/1.1", `Host: ${host}`)), isUrl ? "accepted" : "400 bad-host", host);
  }
});

Deno.test("A zone of an IPv6 address is no host", () => {
  assert.equal(refusal(() => judge("GET / HTTP/1.1", "Host: [fe80::1%25eth0]")), "400 bad-host");
});

Deno.test("Absolute form names another host than Host; both are told", () => {
  const head = judge("GET http://b.example/ HTTP/1.1", "Host: a.example");
  assert.equal(head.host, "a.example");
  assert.equal(head.form, "absolute");
  assert.equal(head.target, "http://b.example/");
});

Deno.test("The greatest length is the greatest number that is exact", () => {
  const greatest = String(Number.MAX_SAFE_INTEGER);
  assert.deepEqual(get(`Content-Length: ${greatest}`).framing, { kind: "length", length: Number.MAX_SAFE_INTEGER });
  assert.equal(refusal(() => get("Content-Length: 9007199254740992")), "413 body-too-large");
  assert.equal(refusal(() => get(`Content-Length: ${"9".repeat(400)}`)), "413 body-too-large");
});

Deno.test("A length of only zeros is no body", () => {
  assert.deepEqual(get("Content-Length: 000").framing, { kind: "none" });
  assert.deepEqual(get("Content-Length: 0", "Content-Length: 0").framing, { kind: "none" });
});

Deno.test("Three lines of one length agree, three lines of a list do not", () => {
  const same = "Content-Length: 7";
  assert.deepEqual(get(same, same, same).framing, { kind: "length", length: 7 });
  assert.equal(refusal(() => get(same, "Content-Length: 7, 7", same)), "400 bad-content-length");
  assert.equal(refusal(() => get("Content-Length: 7, 7", "Content-Length: 7, 7")), "400 bad-content-length");
  assert.equal(refusal(() => get(same, "Content-Length: 7,7")), "400 bad-content-length");
});

Deno.test("A coding is judged before a length, a host before both", () => {
  assert.equal(refusal(() => get("Content-Length: x", "Transfer-Encoding: x")), "400 bad-transfer-encoding");
  const both = ["Content-Length: x", "Transfer-Encoding: x"];
  assert.equal(refusal(() => judge("GET / HTTP/1.1", ...both)), "400 bad-host");
});

Deno.test("Only exactly chunked is chunked", () => {
  assert.deepEqual(get("Transfer-Encoding: cHuNkEd").framing, { kind: "chunked" });
  for (const value of ["chunked,chunked", "chunked,", ",chunked", "chunked,gzip", ","]) {
    assert.equal(refusal(() => get(`Transfer-Encoding: ${value}`)), "400 bad-transfer-encoding", value);
  }
  for (const value of ["gzip", "gzip,chunked", "chunke", "chunkedd", "chunked ;", "\xa0chunked"]) {
    assert.equal(refusal(() => get(`Transfer-Encoding: ${value}`)), "501 unknown-transfer-encoding", value);
  }
});

Deno.test("CONNECT is 501 whatever its target and its host", () => {
  for (const target of ["a.example:443", "/", "*", "http://a.example/"]) {
    assert.equal(refusal(() => judge(`CONNECT ${target} HTTP/1.1`)), "501 not-implemented");
  }
});

Deno.test("A method that a Request cannot have is 501, whatever its target and its host", () => {
  for (const method of ["TRACE", "trace", "TRACK", "connect", "get", "Head", "post", "PuT", "delete", "options"]) {
    for (const target of ["a.example:443", "/", "*"]) {
      assert.equal(refusal(() => judge(`${method} ${target} HTTP/1.1`)), "501 not-implemented", method);
    }
  }
});

Deno.test("Any other method is the application's, with the case it came with", () => {
  for (
    const method of ["PATCH", "patch", "PROPFIND", "M-SEARCH", "QUERY", "GETS", "TRAC", "__proto__", "!#$%&'*+-.^_`|~"]
  ) {
    assert.equal(judge(`${method} /x HTTP/1.1`, "Host: a.example").method, method);
  }
});

Deno.test("An expectation is judged in HTTP/1.1 only", () => {
  assert.equal(get("Expect: 100-CONTINUE").expectsContinue, true);
  assert.equal(get().expectsContinue, false);
  assert.equal(refusal(() => get("Expect: other")), "417 bad-expectation");
  assert.equal(get("Expect: 100-continue", "Expect: 100-continue").expectsContinue, true);
  assert.equal(get("Expect: ,100-continue ,").expectsContinue, true);
  assert.equal(get("Expect:").expectsContinue, false);
  assert.equal(refusal(() => get("Expect: 100-continue, other")), "417 bad-expectation");
  assert.equal(refusal(() => get("Expect: 100-continue", "Expect: other")), "417 bad-expectation");
  assert.equal(judge("GET / HTTP/1.0", "Expect: other").expectsContinue, false);
});

Deno.test("Only space and tab are white space around the elements of a list", () => {
  assert.equal(get("Expect: \t100-continue \t, \t").expectsContinue, true);
  assert.equal(get("Connection: a \t,\tclose").keepAlive, false);
  // A byte 0xa0 is a no-break space in Latin-1, and a part of the element in HTTP.
  for (const value of ["\xa0100-continue", "100-continue\xa0", "100-continue,\xa0"]) {
    assert.equal(refusal(() => get(`Expect: ${value}`)), "417 bad-expectation");
  }
  assert.equal(get("Connection: a,\xa0close").keepAlive, true);
  assert.equal(judge("GET / HTTP/1.0", "Connection: a, keep-alive\xa0").keepAlive, false);
  assert.equal(get("Connection: a,\xa0upgrade", "Upgrade: a").upgrade, null);
  assert.equal(refusal(() => get("Transfer-Encoding: chunked\xa0, gzip")), "501 unknown-transfer-encoding");
});

Deno.test("Upgrade needs its option, and its option alone closes nothing", () => {
  const head = get("Connection: upgrade, close", "Upgrade: a");
  assert.equal(head.upgrade, "a");
  assert.equal(head.keepAlive, false);
  assert.equal(get("Connection: upgrades", "Upgrade: a").upgrade, null);
  assert.equal(get("Connection: upgrade").upgrade, null);
});

Deno.test("Notes that were cleared know nothing of the last head", () => {
  const notes = new HeadNotes();
  const reader = new HeadReader(notes);
  reader.startHead(LIMITS.maxHeadBytes, LIMITS.maxRequestLineBytes);
  const bytes = latin1(
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n" +
      "Expect: 100-continue\r\nUpgrade: a\r\n\r\n",
  );
  reader.read(bytes, 0, bytes.length);
  const counts = () => [
    notes.hosts,
    notes.contentLengths,
    notes.transferEncodings,
    notes.connections,
    notes.expects,
    notes.upgrades,
  ];
  assert.deepEqual(counts(), [1, 1, 1, 1, 1, 1]);
  notes.clear();
  assert.deepEqual(counts(), [0, 0, 0, 0, 0, 0]);
});

const LONG_AND_WRONG = {
  "Host": "a/",
  "Content-Length": "x",
  "Transfer-Encoding": "gzip",
  "transfer-encoding": "chunked,",
  "Expect": "x",
};

for (const [field, value] of Object.entries(LONG_AND_WRONG)) {
  Deno.test(`A refusal of ${field} with thousands of ${value} is short and cannot act on a terminal`, () => {
    const line = `${field}: \x9b31m${value.repeat(3000)}`;
    const message = messageOf(() => field === "Host" ? judge("GET / HTTP/1.1", line) : get(line));
    assert.ok(message.length < 250, `${message.length} characters`);
    assert.match(message, /^[ -~]+$/);
  });
}

Deno.test("A refusal of a long method is short", () => {
  assert.ok(messageOf(() => judge(`${"M".repeat(5000)} * HTTP/1.1`, "Host: a")).length < 250);
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
  assert.fail("accepted");
}
