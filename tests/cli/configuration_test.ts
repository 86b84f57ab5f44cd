// Which of flag, application, variable and default decides.

import assert from "node:assert/strict";
import { configure } from "../../src/cli/configuration.ts";
import { parseFlags } from "../../src/cli/parse_flags.ts";
import { EXIT, Failure } from "../../src/platform/failure.ts";
import { platform } from "../../src/platform/runtime.ts";

function configured(args: string[], app: Record<string, unknown> = {}, env: Record<string, string> = {}) {
  return configure(parseFlags(args, (name) => env[name]), app, platform);
}

function portOf({ where }: ReturnType<typeof configured>): number | null {
  return where.transport === "tcp" ? where.port : null;
}

Deno.test("A flag overrides the application, the application a variable, and a variable the default", () => {
  const env = { WEFT_PORT: "3", WEFT_KEEP_ALIVE: "3", WEFT_BODY: "whole" };
  const app = { port: 2, keepAliveMs: 2, body: "stream" };
  const flags = configured(["--port", "1", "--keep-alive", "1", "--body", "auto"], app, env);
  assert.deepEqual([portOf(flags), flags.settings.keepAliveMs, flags.settings.body], [1, 1000, "auto"]);
  const own = configured([], app, env);
  assert.deepEqual([portOf(own), own.settings.keepAliveMs, own.settings.body], [2, 2, "stream"]);
  const variables = configured([], {}, env);
  assert.deepEqual([portOf(variables), variables.settings.keepAliveMs, variables.settings.body], [3, 3000, "whole"]);
  const defaults = configured([]);
  assert.deepEqual([portOf(defaults), defaults.settings.keepAliveMs, defaults.settings.body], [3000, 65_000, "auto"]);
});

Deno.test("A limit that is out of range is refused with the flag, the option or the variable that set it", () => {
  const refuses = (work: () => unknown, message: RegExp) =>
    assert.throws(work, (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, EXIT.usage);
      assert.match(error.message, message);
      return true;
    });
  refuses(() => configured(["--max-connections", "0"]), /^--max-connections: expected 1 or more/);
  refuses(() => configured([], {}, { WEFT_MAX_CONNECTIONS: "0" }), /^WEFT_MAX_CONNECTIONS: expected 1 or more/);
  refuses(() => configured([], { maxConnections: 0 }), /^the application's options: maxConnections: expected 1/);
  refuses(() => configured([], { port: "80" }), /^the application's options: port: expected a number from 0 to 65535/);
});

Deno.test("A log format implies an access log", () => {
  assert.equal(configured(["--log-format", "json"]).accessLog, "-");
  assert.equal(configured([], {}, { WEFT_LOG_FORMAT: "combined" }).logFormat, "combined");
  assert.equal(configured(["--access-log", "a.log"]).logFormat, "short");
});
