// Each file of tests/corpus gives what stands beside it, however its bytes come in pieces.

import assert from "node:assert/strict";
import {
  byteByByte,
  type Case,
  latin1,
  loadCases,
  NEXT_REQUEST,
  type Outcome,
  readAll,
  type SeenRequest,
} from "../helpers/wire.ts";

/** Cases up to this size are split at every byte: longer ones would take their square of time to teach nothing new. */
const MAX_SPLIT_BYTES = 400;

const accepted = loadCases("accept");
const rejected = loadCases("reject");

Deno.test("The corpus is there as it was written, line ends and all", () => {
  assert.ok(accepted.length >= 60, `${accepted.length} cases to accept`);
  assert.ok(rejected.length >= 110, `${rejected.length} cases to reject`);
  const simplest = accepted.find((one) => one.name === "method_01");
  assert.deepEqual(simplest?.bytes, latin1("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
});

for (const one of accepted) {
  Deno.test(`Accepted, ${one.name}: ${one.teaches}`, () => {
    const expected: Outcome = { requests: one.requests, begun: null, fault: null, closed: true };
    readInEveryWay(one.bytes, (outcome) => assert.deepEqual(outcome, expected));
    if (!one.requests.at(-1)!.keepAlive) return;
    const followed: Outcome = { ...expected, requests: [...one.requests, NEXT_SEEN] };
    readInEveryWay(withNext(one), (outcome) => assert.deepEqual(outcome, followed));
  });
}

for (const one of rejected) {
  Deno.test(`Refused, ${one.name}: ${one.teaches}`, () => {
    const whole = readAll([one.bytes]);
    assert.deepEqual(whole.fault, one.fault);
    assert.deepEqual(whole.requests, one.requests);
    assert.equal(whole.begun === null ? "head" : "body", one.in);
    assert.equal(whole.closed, false);
    readInEveryWay(one.bytes, (outcome) => assert.deepEqual(outcome, whole));
    // What is wrong does not become right by what follows; only what was cut short does.
    if (one.fault?.code === "cut-short") return;
    readInEveryWay(withNext(one), (outcome) => assert.deepEqual(outcome, whole));
  });
}

const NEXT_SEEN: SeenRequest = {
  method: "GET",
  target: "/next",
  form: "origin",
  minor: 1,
  host: "next.example",
  framing: { kind: "none" },
  keepAlive: true,
  expectsContinue: false,
  upgrade: null,
  fields: [["host", "next.example"]],
  body: "",
};

function withNext(one: Case): Uint8Array {
  const next = latin1(NEXT_REQUEST);
  const bytes = new Uint8Array(one.bytes.length + next.length);
  bytes.set(one.bytes);
  bytes.set(next, one.bytes.length);
  return bytes;
}

function readInEveryWay(bytes: Uint8Array, check: (outcome: Outcome) => void): void {
  check(readAll([bytes]));
  check(readAll(byteByByte(bytes)));
  if (bytes.length > MAX_SPLIT_BYTES) return;
  for (let at = 1; at < bytes.length; at++) check(readAll([bytes.subarray(0, at), bytes.subarray(at)]));
}
