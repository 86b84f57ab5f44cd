// Whatever a client calls its file, the name that comes of it can do no harm.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { safeName } from "../../src/uploads/file_name.ts";

const NAMES: [said: string, name: string][] = [
  ["photo.jpg", "photo.jpg"],
  ["Große Straße (2).tar.gz", "Große Straße (2).tar.gz"],
  ["/etc/passwd", "passwd"],
  ["../../etc/passwd", "passwd"],
  ["C:\\Users\\me\\a.txt", "a.txt"],
  ["a/b\\c/d.txt", "d.txt"],
  ["dir/", "file"],
  ["", "file"],
  [".", "file"],
  ["..", "file"],
  [". .", "file"],
  ["...", "file"],
  [".htaccess", "htaccess"],
  [" .ssh", "ssh"],
  ["a.txt.", "a.txt"],
  ["a.txt  ", "a.txt"],
  ["a\0.txt", "a.txt"],
  ["a\r\nb\x1b[31m.txt", "ab[31m.txt"],
  ["gpj\u202Eexe.txt", "gpjexe.txt"],
  ["a:b*c?<d>|e.txt", "a_b_c__d__e.txt"],
  ["CON", "_CON"],
  ["nul.txt", "_nul.txt"],
  ["com1.tar.gz", "_com1.tar.gz"],
  ["console.txt", "console.txt"],
  ["cafe\u0301.txt", "caf\u00e9.txt"],
  ["\ud800.txt", "_.txt"],
];

Deno.test("A client's name for its file becomes one that can be given to a file", () => {
  for (const [said, name] of NAMES) assert.equal(safeName(said), name, JSON.stringify(said));
});

Deno.test("A long name is cut before its extension, between characters", () => {
  const long = safeName(`${"日".repeat(300)}.jpeg`);
  assert.match(long, /^日+\.jpeg$/);
  assert.ok(new TextEncoder().encode(long).length <= 200 && long.length > 60);
  assert.equal(safeName(`a.${"b".repeat(300)}`).length, 200);
  assert.equal(safeName("x".repeat(1000)), "x".repeat(200));
});

Deno.test("No name is empty, hidden, special, long or a path, whatever was said", () => {
  const letters = fc.constantFrom(
    "/",
    "\\",
    ".",
    " ",
    "\0",
    "\n",
    "\u202e",
    "a",
    "B",
    "con",
    "é",
    "日",
    "\ud83d",
    ":",
    "%",
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(letters).map((all) => all.join("")), fc.string({ unit: "binary" })), (said) => {
      const name = safeName(said);
      // deno-lint-ignore no-control-regex -- these must not be there
      assert.match(name, /^[^./\\\u0000-\u001f\u007f][^/\\\u0000-\u001f\u007f]*$/);
      assert.doesNotMatch(name, /[. ]$|^(con|nul|aux|prn)(\.|$)/i);
      assert.ok(new TextEncoder().encode(name).length <= 204);
      assert.equal(safeName(name), name);
    }),
    { numRuns: 500 },
  );
});
