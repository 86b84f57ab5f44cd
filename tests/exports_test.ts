// What the package exports; taking a name away breaks its users.

import assert from "node:assert/strict";
import * as weft from "../mod.ts";
import { VERSION } from "../src/cli/version.ts";
import { MAJOR } from "../src/copies/shared.ts";
import config from "../deno.json" with { type: "json" };

Deno.test("The package exports what its users import, and nothing else", () => {
  assert.deepEqual(Object.keys(weft).sort(), [
    "ProtocolError",
    "StorageError",
    "UploadError",
    "Uploads",
    "fastcgi",
    "progressChanges",
    "progressOf",
    "receiveUploads",
    "redisStore",
    "serve",
    "stopwatch",
    "trace",
    "upgradeWebSocket",
    "uploadProgress",
    "uploads",
  ]);
});

Deno.test("The program and the package have the same version", () => {
  assert.equal(VERSION, config.version);
  assert.equal(`${MAJOR}`, config.version.split(".")[0], "copies of one major version share state");
});

Deno.test("Nothing has to be fetched before it runs: no code comes from a registry until it is needed", async () => {
  const args = ["info", "--json", decodeURIComponent(new URL("../mod.ts", import.meta.url).pathname)];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  const code = modules.flatMap(({ dependencies = [] }) => dependencies.filter((each) => each.code !== undefined));
  assert.ok(code.length > 100);
  assert.deepEqual(code.map(({ specifier }) => specifier).filter((name) => !/^\.{1,2}\/|^node:/.test(name)), []);
});

/** What `deno info` tells of a module. */
interface Module {
  dependencies?: { specifier: string; code?: unknown }[];
}
