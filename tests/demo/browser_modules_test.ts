// What runs in a browser fits the types it promises, although it is written without a build step.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";

const root = new URL("../../", import.meta.url);
const ROOMS = ["src/progress/client", "src/demo"];

Deno.test("The browser's modules fit their types", async () => {
  // Checked as copies: Deno does not follow the types that a module imports if the module names types of its own.
  const copies = await Deno.makeTempDir();
  const modules: string[] = [];
  for (const room of ROOMS) {
    await Deno.mkdir(`${copies}/${room}`, { recursive: true });
    for await (const { name } of Deno.readDir(new URL(room, root))) {
      if (!/\.js$|\.d\.ts$/.test(name)) continue;
      const text = await Deno.readTextFile(new URL(`${room}/${name}`, root));
      await Deno.writeTextFile(`${copies}/${room}/${name}`, text.replace(/^\/\/ @ts-self-types.*$/m, ""));
      if (name.endsWith(".js")) modules.push(`${copies}/${room}/${name}`);
    }
  }
  const config = fromFileUrl(new URL("deno.browser.json", root));
  const args = ["check", "--quiet", "--no-lock", "--config", config, ...modules];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
  await Deno.remove(copies, { recursive: true });
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.ok(modules.length >= 2);
});

Deno.test("A browser's module opens with its purpose, and imports nothing but its neighbours", async () => {
  for (const room of ROOMS) {
    for await (const { name } of Deno.readDir(new URL(room, root))) {
      if (!name.endsWith(".js")) continue;
      const text = await Deno.readTextFile(new URL(`${room}/${name}`, root));
      assert.match(text, /^(\/\/ @ts-self-types.*\n)?\/\/ [A-Z]/, name);
      for (const [, specifier = ""] of text.matchAll(/\bfrom "([^"]+)"/g)) assert.match(specifier, /^\.\.?\//, name);
    }
  }
});
