// How a command line is taken into its parts.

import assert from "node:assert/strict";
import fc from "npm:fast-check@4";
import { parseArgs } from "node:util";
import { type Token, tokenize } from "../../src/cli/tokens.ts";

const SHAPES = [
  { name: "port", short: "p", takesValue: true },
  { name: "debug", short: "d", takesValue: false },
  { name: "restart", short: "r", takesValue: false },
  { name: "host", takesValue: true },
];

/** What the runtimes' own parser makes of it. */
function byRuntime(args: string[]): Token[] {
  const options = Object.fromEntries(SHAPES.map(({ name, short, takesValue }) => {
    const type = takesValue ? "string" as const : "boolean" as const;
    return [name, short === undefined ? { type } : { type, short }];
  }));
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true, allowPositionals: true });
  return tokens.flatMap((token): Token[] => {
    if (token.kind === "positional") return [{ kind: "positional", value: token.value }];
    if (token.kind === "option-terminator") return [];
    return [{ kind: "option", name: token.name, rawName: token.rawName, value: token.value }];
  });
}

Deno.test("Flags, values and the rest are told apart as every Unix program does", () => {
  assert.deepEqual(tokenize(["-p", "80", "--host=a=b", "-dr", "app.ts", "--what", "-p8080", "--port"], SHAPES), [
    { kind: "option", name: "port", rawName: "-p", value: "80" },
    { kind: "option", name: "host", rawName: "--host", value: "a=b" },
    { kind: "option", name: "debug", rawName: "-d", value: undefined },
    { kind: "option", name: "restart", rawName: "-r", value: undefined },
    { kind: "positional", value: "app.ts" },
    { kind: "option", name: "what", rawName: "--what", value: undefined },
    { kind: "option", name: "port", rawName: "-p", value: "8080" },
    { kind: "option", name: "port", rawName: "--port", value: undefined },
  ]);
});

Deno.test("Any command line of known flags is read as the runtime's own parser reads it", () => {
  const word = fc.constantFrom(
    "-p",
    "-p8",
    "-d",
    "-dr",
    "-rd",
    "--port",
    "--port=1",
    "--debug",
    "--host",
    "--host=",
    "-",
    "a",
    "b=c",
    "--x",
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 8 }), (args) => {
    assert.deepEqual(tokenize(args, SHAPES), byRuntime(args));
  }));
});
