// When `deno task ok` may leave out the suite.

import assert from "node:assert/strict";
import { nameOf } from "../../scripts/suite_passed.ts";

Deno.test("A tree has another name after any change of a file, and the same one if nothing has changed", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${directory}/src/.git`, { recursive: true });
    await Deno.writeTextFile(`${directory}/src/100%.ts`, "one");
    const first = await nameOf(directory);
    assert.match(first, /^[0-9a-f]{64}$/);
    const names = new Set([first]);
    for (
      const change of [
        () => Deno.writeTextFile(`${directory}/src/100%.ts`, "two"),
        () => Deno.rename(`${directory}/src/100%.ts`, `${directory}/src/b#.ts`),
        () => Deno.writeTextFile(`${directory}/.new`, ""),
        () => Deno.rename(`${directory}/.new`, `${directory}/src/.new`),
      ]
    ) {
      await change();
      names.add(await nameOf(directory));
    }
    assert.equal(names.size, 5);
    await Deno.remove(`${directory}/src/.new`);
    await Deno.rename(`${directory}/src/b#.ts`, `${directory}/src/100%.ts`);
    await Deno.writeTextFile(`${directory}/src/100%.ts`, "one");
    await Deno.writeTextFile(`${directory}/src/.git/index`, "not part of it");
    assert.equal(await nameOf(directory), first);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
