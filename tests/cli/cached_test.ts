// The program runs from a URL without a network, once Deno has cached it.

import assert from "node:assert/strict";
import { supervise } from "../helpers/supervised.ts";
import { unixTest } from "../helpers/program.ts";

const ROOT = new URL("../../", import.meta.url);

unixTest("A program that was cached from a URL starts workers without a network", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const env = { DENO_DIR: `${directory}/cache` };
  const app = `${directory}/app.js`;
  await Deno.writeTextFile(app, "export default () => new Response('cached');");
  const flags = ["--no-config", "--no-lock"];
  const url = await (async () => {
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async ({ url }) => {
      const path = new URL(new URL(url).pathname.slice(1), ROOT);
      const headers = { "content-type": path.href.endsWith(".ts") ? "application/typescript" : "text/javascript" };
      return new Response(await Deno.readTextFile(path), { headers });
    });
    const url = `http://127.0.0.1:${server.addr.port}/mod.ts`;
    const args = ["cache", ...flags, "--allow-import", url];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return url;
  })();
  await using program = await supervise(["-w", "1", app], {
    directory,
    env,
    deno: [...flags, "--cached-only", "-A"],
    program: url,
  });
  assert.equal(await (await fetch(await program.url())).text(), "cached");
  assert.ok((await program.ask({ ask: "reload" })).ok);
  assert.equal((await program.stop()).code, 0);
});
