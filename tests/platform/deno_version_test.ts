// Which versions of Deno are too old.

import assert from "node:assert/strict";
import { denoProblem } from "../../src/platform/deno_version.ts";

Deno.test("Deno 2.9 and everything later can run Weft", () => {
  for (const version of ["2.9.0", "2.9.6", "2.9.0-rc.1", "2.9.1+4c5f0d2", "2.10.0", "2.100.3", "3.0.0", "10.1.0"]) {
    assert.equal(denoProblem(version), null, version);
  }
});

Deno.test("An older Deno cannot run Weft, and the message says what was found and what to do", () => {
  for (const version of ["2.8.3", "2.8.10", "2.8.0-rc.9", "2.0.0", "1.46.3", "1.10.0", "0.9.9"]) {
    assert.equal(
      denoProblem(version),
      `Deno 2.9 or later is needed, and this is Deno ${version}. ` +
        'Run "deno upgrade", or use "npx -y deno@2" instead of "deno".',
    );
  }
});

Deno.test("A version in an unknown form does not stop Weft", () => {
  assert.equal(denoProblem("next"), null);
});
