// Knows: what the package exports; taking a name away breaks its users.

import assert from "node:assert/strict";
import * as weft from "../mod.ts";
import { VERSION } from "../src/cli/version.ts";
import config from "../deno.json" with { type: "json" };

Deno.test("The package exports what its users import, and nothing else", () => {
  assert.deepEqual(Object.keys(weft).sort(), [
    "ProtocolError",
    "StorageError",
    "UploadError",
    "Uploads",
    "progressChanges",
    "progressOf",
    "receiveUploads",
    "redisStore",
    "serve",
    "stopwatch",
    "trace",
    "uploadProgress",
    "uploads",
  ]);
});

Deno.test("The program and the package have the same version", () => {
  assert.equal(VERSION, config.version);
});
