// Serving leaves Weft's own files as they are, and an image that is built as the documentation says serves.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { start, unixTest } from "../helpers/program.ts";
import { type Project, project } from "../helpers/projects.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** A project with a clone of Weft in `weft/`, as users have it, and a cache of its own. */
async function projectWithClone(files: Record<string, string>): Promise<Project> {
  const own = await project(files);
  const clone = new Deno.Command("sh", {
    args: ["-c", `mkdir weft && cp -R "$0/mod.ts" "$0/src" "$0/deno.json" "$0/deno.lock" weft`, ROOT],
    cwd: own.directory,
  });
  assert.ok((await clone.output()).success);
  return own;
}

const HONO = 'import { Hono } from "npm:hono@^4.6.1";\nconst app = new Hono();\n' +
  'app.get("/", (c) => c.text("hono"));\nexport default app;\n';

/** The names of the npm packages in a cache of Deno. */
async function cached(cache: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(`${cache}/npm/registry.npmjs.org`))).map(({ name }) => name).sort();
}

for (const args of [[], ["-w", "1"]]) {
  unixTest(
    `Serving ${args.join(" ") || "alone"} changes no lock of Weft, and fetches only what is imported`,
    async () => {
      await using own = await projectWithClone({ "app.ts": HONO });
      const lock = await Deno.readTextFile(own.path("weft/deno.lock"));
      const env = { DENO_DIR: own.path("cache") };
      await using program = start(["-p", "0", ...args, "app.ts"], { cwd: own.directory, env, program: "weft/mod.ts" });
      assert.equal(await (await fetch(await program.url())).text(), "hono");
      program.kill("SIGTERM");
      assert.equal((await program.ended).code, 0);
      assert.equal(await Deno.readTextFile(own.path("weft/deno.lock")), lock);
      assert.deepEqual(await cached(own.path("cache")), ["hono"]);
    },
  );
}

unixTest(
  "The Dockerfile of docs/deploy.md makes an image that serves an application with its own deno.json",
  async () => {
    const text = await Deno.readTextFile(`${ROOT}docs/deploy.md`);
    const dockerfile = /```dockerfile\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const lines = dockerfile.trim().split("\n").map((line) => /^(\w+) (.*)$/.exec(line)?.slice(1) ?? []);
    const of = (instruction: string) => lines.filter(([word]) => word === instruction).map(([, rest]) => rest ?? "");
    assert.deepEqual([of("COPY"), of("WORKDIR")], [[". /srv"], ["/srv"]]);
    const imports = { "@weft/engine": "./weft/mod.ts", "words": "./words.ts", "hono": "npm:hono@^4" };
    // This directory is /srv.
    await using own = await projectWithClone({
      "deno.json": JSON.stringify({ imports }),
      "words.ts": 'export default "its own words";',
      "app.ts":
        'import words from "words";\nimport { Hono } from "hono";\nimport { receiveUploads } from "@weft/engine";\n' +
        'const app = new Hono();\napp.get("/", (c) => c.text(words));\n' +
        'app.post("/", async (c) => c.text((await receiveUploads(c.req.raw)).files[0].name));\nexport default app;\n',
    });
    const env = { DENO_DIR: own.path("deno-dir"), PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:/usr/bin:/bin` };
    for (const command of of("RUN")) {
      const { success, stderr } = await new Deno.Command("sh", { args: ["-c", command], cwd: own.directory, env })
        .output();
      assert.ok(success, new TextDecoder().decode(stderr));
    }
    const lock = await Deno.readTextFile(own.path("deno.lock"));
    const [command] = of("CMD");
    // The entry point of the image is deno.
    await using program = start([], {
      cwd: own.directory,
      env: { ...env, WEFT_PORT: "0" },
      command: [Deno.execPath(), ...JSON.parse(command ?? "[]") as string[]],
    });
    const url = (await program.url()).replace("0.0.0.0", "127.0.0.1");
    assert.equal(await (await fetch(url)).text(), "its own words");
    const form = new FormData();
    form.append("file", new File(["x"], "x.txt"));
    assert.equal(await (await fetch(url, { method: "POST", body: form })).text(), "x.txt");
    assert.doesNotMatch(program.stderr, /Download/, "an image has everything");
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
    // The user of the image may not write there.
    assert.equal(await Deno.readTextFile(own.path("deno.lock")), lock);
  },
);
