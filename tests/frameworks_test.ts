// What frameworks build for Deno is served as it stands, with workers. Installs from npm, so it runs if CI=true.

import assert from "node:assert/strict";
import { buildTest, install, run } from "./helpers/building.ts";
import { runToEnd, start } from "./helpers/program.ts";
import { project } from "./helpers/projects.ts";
import { supervise } from "./helpers/supervised.ts";

buildTest("Nitro's output for Deno (preset deno-server) is served, and reloaded", async () => {
  await using own = await project({
    "package.json": JSON.stringify({ private: true, type: "module", dependencies: { nitropack: "2.13.6" } }),
    "nitro.config.ts":
      'export default defineNitroConfig({ srcDir: "server", preset: "deno-server", compatibilityDate: "2025-06-01" });',
    "server/routes/index.ts": 'export default defineEventHandler(() => "hello from Nitro");',
    "server/routes/echo.post.ts": "export default defineEventHandler((event) => readBody(event));",
  });
  await install(own.directory);
  await run(own.directory, "npx", "nitropack", "build");
  await using program = await supervise(["-w", "2", own.path(".output/server/index.mjs")]);
  await program.atStrength(2);
  const url = await program.url();
  assert.equal(await (await fetch(url)).text(), "hello from Nitro");
  const echo = { method: "POST", body: '{"warp":1}', headers: { "content-type": "application/json" } };
  assert.deepEqual(await (await fetch(`${url}/echo`, echo)).json(), { warp: 1 });
  assert.ok((await program.ask({ ask: "reload" })).ok);
  assert.equal(await (await fetch(url)).text(), "hello from Nitro");
  assert.equal((await program.stop()).code, 0);
});

buildTest("SvelteKit's output for Deno (@deno/svelte-adapter) is served, and restarted", async () => {
  const dependencies = {
    "@deno/svelte-adapter": "0.1.1",
    "@sveltejs/kit": "2.70.4",
    "@sveltejs/vite-plugin-svelte": "6.2.4",
    "svelte": "5.57.3",
    "vite": "7.3.8",
  };
  await using own = await project({
    "package.json": JSON.stringify({ private: true, type: "module", dependencies }),
    "vite.config.js": 'import { sveltekit } from "@sveltejs/kit/vite";\nexport default { plugins: [sveltekit()] };\n',
    "svelte.config.js":
      'import adapter from "@deno/svelte-adapter";\nexport default { kit: { adapter: adapter() } };\n',
    "src/app.html": "<!doctype html><head>%sveltekit.head%</head><body>%sveltekit.body%</body>",
    "src/routes/+page.svelte": "<script>let { form } = $props();</script><p>hello {form?.name ?? 'from SvelteKit'}</p>",
    "src/routes/+page.server.js":
      'export const actions = { default: async ({ request }) => ({ name: (await request.formData()).get("name") }) };',
    "static/robots.txt": "User-agent: *\n",
  });
  await install(own.directory);
  await run(own.directory, "npx", "vite", "build");
  // The output finds its files from the project's directory.
  await using program = await supervise(["-w", "1", "-r", ".deno-deploy/server.ts"], { cwd: own.directory });
  const url = await program.url();
  assert.match(await (await fetch(url)).text(), /<p>hello from SvelteKit<\/p>/);
  assert.equal(await (await fetch(`${url}/robots.txt`)).text(), "User-agent: *\n");
  const headers = { origin: url, "content-type": "application/x-www-form-urlencoded", accept: "text/html" };
  const action = await fetch(url, { method: "POST", headers, body: "name=weft" });
  assert.match(await action.text(), /<p>hello weft<\/p>/);
  await Deno.writeTextFile(own.path(".deno-deploy/server.ts"), "\n", { append: true });
  await program.waitFor(/gen=2 .*ready in/);
  await program.atStrength(1);
  assert.match(await (await fetch(url)).text(), /<p>hello from SvelteKit<\/p>/);
  assert.equal((await program.stop()).code, 0);
});

/** How an application of node:http begins, and what it exports. */
const NODE_STYLE: Record<string, [source: string, exported: string, message: string]> = {
  Express: [
    'import express from "express";\nconst app = express();\n' +
    "app.use(express.json()).post('/', (req, res) => res.json(req.body)).get('/', (_req, res) => res.send('served'));\n",
    "app",
    "an Express application",
  ],
  Koa: [
    'import Koa from "koa";\nconst app = new Koa();\napp.use((ctx) => {\n' +
    "  if (ctx.method === 'POST') ctx.type = 'json';\n  ctx.body = ctx.method === 'POST' ? ctx.req : 'served';\n});\n",
    "app",
    "a Koa application",
  ],
  Fastify: [
    'import fastify from "fastify";\nconst app = fastify();\n' +
    "app.post('/', (request) => request.body);\napp.get('/', () => 'served');\n",
    "app",
    "a Fastify application",
  ],
  "node:http": [
    'import { createServer } from "node:http";\nconst server = createServer((req, res) => {\n' +
    "  if (req.method === 'POST') req.pipe(res);\n  else res.end('served');\n});\n",
    "server",
    "a server of node:http",
  ],
};

buildTest(
  "Express, Koa, Fastify and node:http are refused with two lines to type, and with these they are served",
  async () => {
    const dependencies = { express: "5.3.0", fastify: "5.12.8", koa: "3.3.0", srvx: "1.0.8" };
    await using own = await project({
      "package.json": JSON.stringify({ private: true, type: "module", dependencies }),
    });
    await install(own.directory);
    for (const [name, [source, exported, message]] of Object.entries(NODE_STYLE)) {
      const app = own.path("app.js");
      await Deno.writeTextFile(app, `${source}export default ${exported};\n`);
      const { code, stderr } = await runToEnd(["-p", "0", app]);
      assert.equal(code, 4, stderr);
      assert.ok(stderr.includes(`the default export of ${app} is ${message}: `), stderr);
      const lines = stderr.split("\n").filter((line) => line.startsWith("    "));
      assert.equal(lines.length, 2, stderr);
      await Deno.writeTextFile(app, `${source}${lines.join("\n")}\n`);
      await using program = start(["-p", "0", app]);
      const url = await program.url();
      assert.equal(await (await fetch(url)).text(), "served", name);
      const body = JSON.stringify({ large: "x".repeat(90_000) });
      const echo = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
      assert.equal(await echo.text(), body, name);
      // The frameworks answer what their routes do not take; the other two take every path.
      const hasRoutes = name === "Express" || name === "Fastify";
      const unknown = await fetch(`${url}/nothing`);
      await unknown.body?.cancel();
      assert.equal(unknown.status, hasRoutes ? 404 : 200, name);
      if (!hasRoutes) continue;
      const broken = { method: "POST", body: "{", headers: { "content-type": "application/json" } };
      const refused = await fetch(url, broken);
      await refused.body?.cancel();
      assert.equal(refused.status, 400, name);
    }
  },
);
