// How a command line and the environment are understood.

import assert from "node:assert/strict";
import { optionName } from "../../src/cli/cli_options.ts";
import { FLAGS, variableOf } from "../../src/cli/flags.ts";
import { parseFlags } from "../../src/cli/parse_flags.ts";
import { usage } from "../../src/cli/usage.ts";
import { denoAdvice } from "../../src/platform/deno_advice.ts";
import { EXIT, Failure } from "../../src/platform/failure.ts";
import { DEFAULTS } from "../../src/engine/settings.ts";

function parse(args: string[], env: Record<string, string> = {}) {
  return parseFlags(args, (name) => env[name]);
}

function refuses(args: string[], message: RegExp, env: Record<string, string> = {}) {
  assert.throws(() => parse(args, env), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, EXIT.usage);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/, "one line");
    return true;
  });
}

Deno.test("Flags are taken in long and short form, with = and without", () => {
  assert.equal(parse(["--port", "80"]).options.port, 80);
  assert.equal(parse(["--port=80"]).options.port, 80);
  assert.equal(parse(["-p", "80"]).options.port, 80);
  assert.equal(parse(["-p80"]).options.port, 80);
  assert.equal(parse(["-d", "app.ts"]).options.debug, true);
});

Deno.test("The application is the one word that is not a flag, and its arguments follow --", () => {
  const asked = parse(["-p", "1", "app.ts", "--", "--port", "x"]);
  assert.equal(asked.app, "app.ts");
  assert.deepEqual(asked.appArgs, ["--port", "x"]);
  assert.equal(asked.options.port, 1);
});

Deno.test("A flag goes before its variable, and a variable before nothing", () => {
  assert.equal(parse([], { WEFT_PORT: "81" }).options.port, 81);
  assert.equal(parse(["-p", "80"], { WEFT_PORT: "81" }).options.port, 80);
  assert.equal(parse([], { WEFT_PORT: "81", PORT: "82" }).options.port, 81);
  assert.equal(parse([], { PORT: "82" }).options.port, 82);
  assert.equal(parse([], { CATALYST_POE_DEBUG: "1" }).options.debug, true);
  assert.equal(parse([], { CATALYST_POE_BENCH: "1" }).options.bench, true);
  assert.equal(parse([], { WEFT_MAX_BODY_SIZE: "1m" }).options.maxBodySize, 1048576);
});

Deno.test("A value that nothing sets is its default, false for a switch, and otherwise undefined", () => {
  const { options, given } = parse([]);
  // The types are part of the test: it does not compile if a value is not what the table of flags says.
  const port: number = options.port;
  const isDebug: boolean = options.debug;
  const format: "short" | "combined" | "json" = options.logFormat;
  const workers: number | "auto" | undefined = options.workers;
  const directories: readonly string[] | undefined = options.restartDirectory;
  assert.deepEqual({ port, isDebug, format, workers, directories }, {
    port: 3000,
    isDebug: false,
    format: "short",
    workers: undefined,
    directories: undefined,
  });
  assert.equal(options.workerTimeout, 30_000);
  assert.deepEqual([...given], []);
});

Deno.test("Asked says what the command line has set, and what the environment", () => {
  const { explicit, given } = parse(["-p", "1", "--debug"], { WEFT_HOST: "::1", WEFT_DEBUG: "0" });
  assert.deepEqual([...explicit].sort(), ["debug", "port"]);
  assert.deepEqual([...given].sort(), ["debug", "host", "port"]);
});

Deno.test("A flag that may be repeated gives a list, and the command line replaces the environment's", () => {
  const env = { WEFT_RESTART_DIRECTORY: "c" };
  assert.deepEqual(parse([], env).options.restartDirectory, ["c"]);
  const args = ["--restart-directory", "a", "--restart-directory=b"];
  assert.deepEqual(parse(args, env).options.restartDirectory, ["a", "b"]);
});

Deno.test("Every long flag has its variable", () => {
  assert.equal(variableOf("max-body-size"), "WEFT_MAX_BODY_SIZE");
});

Deno.test("An unknown flag is refused with the nearest", () => {
  refuses(["--prot", "80"], /^unknown flag --prot; did you mean --port\?/);
  refuses(["--keepalive=3"], /--keep-alive/);
  refuses(["-x"], /^unknown flag -x/);
});

Deno.test("An unknown flag that every object has as a property has no other name", () => {
  refuses(["--constructor"], /^unknown flag --constructor \(/);
});

Deno.test("A bad value is refused with the flag or the variable that has it", () => {
  refuses(["--port", "80000"], /^--port: expected a port from 0 to 65535, got "80000"$/);
  refuses(["--keep-alive", "long"], /^--keep-alive: expected seconds/);
  refuses(["--body", "some"], /^--body: expected auto, whole or stream, got "some"$/);
  refuses(["-w", "-1"], /^-w: expected a whole number from 0 to 1024, or auto, got "-1"$/);
  refuses(["--port"], /^--port needs a value: --port N$/);
  refuses(["--debug=yes"], /takes no value/);
  refuses([], /^WEFT_KEEP_ALIVE: expected seconds/, { WEFT_KEEP_ALIVE: "long" });
  refuses(["a.ts", "b.ts"], /one application was expected, got a\.ts and b\.ts/);
});

Deno.test("An address with a port is refused with the two flags to type", () => {
  refuses(
    ["--host", "0.0.0.0:80"],
    /^--host: .* without a port, got "0\.0\.0\.0:80"; type --host 0\.0\.0\.0 --port 80$/,
  );
  refuses(["--host=[::1]:80"], /type --host \[::1\] --port 80$/);
  for (const host of ["0.0.0.0", "::1", "[::1]", "localhost"]) {
    assert.equal(parse(["--host", host]).options.host, host);
  }
});

Deno.test("-h is the help, and before an address it is refused with the flag that was meant", () => {
  for (const host of ["0.0.0.0", "::1", "localhost"]) {
    refuses(["-p", "80", "-h", host, "app.psgi"], new RegExp(`^-h is --help; the address is --host ${host}$`));
  }
  assert.equal(parse(["-h", "app.ts"]).options.help, true);
});

Deno.test("What needs a part that is not there is recognised and says so", () => {
  for (const flag of FLAGS.filter(({ needs }) => needs !== undefined)) {
    const args = flag.kind === "switch" ? [`--${flag.name}`] : [`--${flag.name}`, "5"];
    refuses(args, new RegExp(`^--${flag.name} needs ${flag.needs}`));
  }
});

Deno.test("Processes are counted, or as many as there are processors", () => {
  assert.equal(parse(["--max-proc", "6"]).options.maxProc, 6);
  assert.equal(parse(["-w", "auto"]).options.workers, "auto");
  assert.equal(parse([], { CATALYST_POE_MAX_PROC: "6" }).options.maxProc, 6);
  assert.equal(parse([], { WEB_CONCURRENCY: "4" }).options.workers, 4);
  refuses(["-n", "many"], /^-n: expected a whole number from 0 to 1024, or auto, got "many"$/);
});

Deno.test("The help tells the limits that the engine has by default", () => {
  const limits = FLAGS.filter(({ limit, ifUnset }) => limit !== undefined && ifUnset !== "off");
  assert.ok(limits.length > 5);
  for (const { name, limit, ifUnset, default: own } of limits) {
    // Such as "30; 1 with --restart".
    const usual = `${ifUnset ?? own}`.replace(/;.*/, "");
    const options: Readonly<Record<string, unknown>> = parse([`--${name}`, usual]).options;
    // A program reads short bodies first, the library streams all.
    const expected = limit === "body" ? "auto" : DEFAULTS[limit!];
    assert.equal(options[optionName(name)], expected, name);
  }
});

Deno.test("The help names every flag that works and fits a screen and a half", () => {
  const text = usage("mod.ts", denoAdvice);
  for (const { name, needs } of FLAGS) assert.equal(text.includes(`--${name}`), needs === undefined, name);
  assert.ok(text.split("\n").length <= 70);
  for (const line of text.split("\n")) assert.ok(line.length <= 110, line);
});
