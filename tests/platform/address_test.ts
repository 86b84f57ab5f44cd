// How addresses and ports are written.

import assert from "node:assert/strict";
import { hostPort, isPort, showAddress } from "../../src/platform/address.ts";

Deno.test("An IPv6 address stands in brackets before its port, other hosts do not", () => {
  assert.equal(hostPort({ hostname: "::1", port: 80 }), "[::1]:80");
  assert.equal(hostPort({ hostname: "127.0.0.1", port: 0 }), "127.0.0.1:0");
  assert.equal(showAddress({ transport: "tcp", hostname: "::", port: 443 }, true), "https://[::]:443/");
  assert.equal(showAddress({ transport: "unix", path: "/run/weft.sock" }, false), "/run/weft.sock");
});

Deno.test("A port is a whole number from 0 to 65535", () => {
  for (const port of [0, 1, 65_535]) assert.ok(isPort(port), `${port}`);
  for (const other of [-1, 65_536, 1.5, NaN, Infinity, "80", null, undefined]) assert.ok(!isPort(other), `${other}`);
});
