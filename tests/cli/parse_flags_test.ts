// How a command line and the environment are understood.

import assert from "node:assert/strict";
import { FLAGS, variableOf } from "../../src/cli/flags.ts";
import { parseFlags, UsageError } from "../../src/cli/parse_flags.ts";
import { usage } from "../../src/cli/usage.ts";

function parse(args: string[], env: Record<string, string> = {}) {
  return parseFlags(args, (name) => env[name]);
}

function refuses(args: string[], message: RegExp, env: Record<string, string> = {}) {
  assert.throws(() => parse(args, env), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/, "one line");
    return true;
  });
}

Deno.test("Flags are taken in long and short form, with = and without", () => {
  assert.equal(parse(["--port", "80"]).values.get("port"), 80);
  assert.equal(parse(["--port=80"]).values.get("port"), 80);
  assert.equal(parse(["-p", "80"]).values.get("port"), 80);
  assert.equal(parse(["-p80"]).values.get("port"), 80);
  assert.equal(parse(["-d", "app.ts"]).values.get("debug"), true);
});

Deno.test("The application is the one word that is not a flag, and its arguments follow --", () => {
  const asked = parse(["-p", "1", "app.ts", "--", "--port", "x"]);
  assert.equal(asked.app, "app.ts");
  assert.deepEqual(asked.appArgs, ["--port", "x"]);
  assert.equal(asked.values.get("port"), 1);
});

Deno.test("A flag goes before its variable, and a variable before nothing", () => {
  assert.equal(parse([], { WEFT_PORT: "81" }).values.get("port"), 81);
  assert.equal(parse(["-p", "80"], { WEFT_PORT: "81" }).values.get("port"), 80);
  assert.equal(parse([], { WEFT_PORT: "81", PORT: "82" }).values.get("port"), 81);
  assert.equal(parse([], { PORT: "82" }).values.get("port"), 82);
  assert.equal(parse([], { CATALYST_POE_DEBUG: "1" }).values.get("debug"), true);
  assert.equal(parse([], { CATALYST_POE_BENCH: "1" }).values.get("bench"), true);
  assert.equal(parse([], { WEFT_MAX_BODY_SIZE: "1m" }).values.get("max-body-size"), 1048576);
});

Deno.test("Every long flag has its variable", () => {
  assert.equal(variableOf("max-body-size"), "WEFT_MAX_BODY_SIZE");
});

Deno.test("An unknown flag is refused with the nearest", () => {
  refuses(["--prot", "80"], /^unknown flag --prot; did you mean --port\?/);
  refuses(["--keepalive=3"], /--keep-alive/);
  refuses(["-x"], /^unknown flag -x/);
});

Deno.test("A bad value is refused with the flag or the variable that has it", () => {
  refuses(["--port", "80000"], /^--port: expected a port from 0 to 65535, got "80000"$/);
  refuses(["--keep-alive", "long"], /^--keep-alive: expected seconds/);
  refuses(["--body", "some"], /^--body: expected auto, whole, stream, got "some"$/);
  refuses(["--port"], /^--port needs a value: --port N$/);
  refuses(["--debug=yes"], /takes no value/);
  refuses([], /^WEFT_KEEP_ALIVE: expected seconds/, { WEFT_KEEP_ALIVE: "long" });
  refuses(["a.ts", "b.ts"], /one application was expected, got a\.ts and b\.ts/);
});

Deno.test("What needs a part that is not there is recognised and says so", () => {
  for (const flag of FLAGS.filter(({ needs }) => needs !== undefined)) {
    const args = flag.kind === "switch" ? [`--${flag.name}`] : [`--${flag.name}`, "5"];
    refuses(args, new RegExp(`^--${flag.name} needs ${flag.needs}`));
  }
});

Deno.test("Processes are counted, or as many as there are processors", () => {
  assert.equal(parse(["--max-proc", "6"]).values.get("max-proc"), 6);
  assert.equal(parse(["-w", "auto"]).values.get("workers"), "auto");
  assert.equal(parse([], { CATALYST_POE_MAX_PROC: "6" }).values.get("max-proc"), 6);
  assert.equal(parse([], { WEB_CONCURRENCY: "4" }).values.get("workers"), 4);
  refuses(["-n", "many"], /^-n: expected a number up to 1024, or auto, got "many"$/);
});

Deno.test("The help names every flag that works and fits a screen and a half", () => {
  const text = usage("deno run -A mod.ts");
  for (const { name, needs } of FLAGS) assert.equal(text.includes(`--${name}`), needs === undefined, name);
  assert.ok(text.split("\n").length <= 70);
  for (const line of text.split("\n")) assert.ok(line.length <= 110, line);
});
