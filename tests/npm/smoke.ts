// The npm package does on Node what a user of it does first.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { install, nodeTest, packageTest, run, startOn } from "../helpers/npm_package.ts";
import { start } from "../helpers/program.ts";
import { supervise } from "../helpers/supervised.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

const APP = `import { receiveUploads } from "@weft/engine";
export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("hello from " + process.pid);
    const form = await receiveUploads(request);
    return Response.json({ title: form.field("title"), words: await form.file("film").text() });
  },
};
`;

const LIBRARY = `import { serve } from "@weft/engine";
const server = serve({ port: 0, onListen() {} }, async (request, info) => {
  const { pathname } = new URL(request.url);
  return new Response(\`\${info.remoteAddr.hostname} \${request.method} \${pathname} \${await request.text()}\`);
});
const url = \`http://127.0.0.1:\${server.addr.port}/warp\`;
console.log(await (await fetch(url)).text());
console.log(await (await fetch(url, { method: "POST", body: "weft" })).text());
await server.shutdown();
`;

/** Registers the tests of what a user does first. */
export function smokeTests(): void {
  nodeTest("serve() answers, and its shutdown lets the process end", async (own, version) => {
    const stdout = await run(own.directory, own.node(version), own.write("library.js", LIBRARY));
    assert.equal(stdout, "127.0.0.1 GET /warp \n127.0.0.1 POST /warp weft\n");
  });

  nodeTest(
    "serve() leaves the globals alone and says once what others would win, unless it is told",
    async (own, version) => {
      const source = (options: string) =>
        'import { serve } from "@weft/engine";\nconst native = Response;\n' +
        `const server = serve({ port: 0, onListen() {}, ${options} }, () => new Response("words"));\n` +
        "const url = `http://127.0.0.1:${server.addr.port}/`;\n" +
        "for (let i = 0; i < 2; i++) await (await fetch(url)).text();\n" +
        "console.log(Response === native);\nawait server.shutdown();\n";
      const cases: readonly [options: string, isNative: string, lines: number][] = [
        ["", "true", 1],
        ["fastGlobals: false", "true", 0],
        ["fastGlobals: true", "false", 0],
      ];
      for (const [options, isNative, lines] of cases) {
        const path = own.write("globals_of_library.js", source(options));
        await using program = start([path], { cwd: own.directory, command: [own.node(version)] });
        const { code, stdout, stderr } = await program.ended;
        assert.equal(code, 0, stderr);
        assert.equal(stdout.trim(), isNative, options);
        assert.equal([...stderr.matchAll(/serve\(\{ fastGlobals: true \}\)/g)].length, lines, options);
      }
    },
  );

  nodeTest("The program serves an application, takes an upload, prints its state and stops", async (own, version) => {
    own.write("app.js", APP);
    await using program = startOn(own, version, ["-p", "0", "app.js"]);
    const url = await program.url();
    assert.match(await (await fetch(url)).text(), /^hello from \d+$/);
    const body = new FormData();
    body.append("title", "Warp");
    body.append("film", new File(["words ".repeat(50_000)], "film.txt"));
    const answer = await (await fetch(url, { method: "POST", body })).json();
    assert.deepEqual(answer, { title: "Warp", words: "words ".repeat(50_000) });
    program.kill("SIGUSR1");
    await program.waitFor(/^-- weft engine state --\nversion: \S+ on node \d[^]*\nActive clients: \d/m);
    program.kill("SIGTERM");
    const { code, stderr } = await program.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /Debugger/);
  });

  nodeTest("An upload without multipasta is answered 500, and the log names the package", async (own, version) => {
    own.write("app.js", APP);
    const parser = `${own.directory}/node_modules/multipasta`;
    Deno.renameSync(parser, `${parser}-away`);
    try {
      await using program = startOn(own, version, ["-p", "0", "app.js"]);
      const body = new FormData();
      body.append("title", "Warp");
      const response = await fetch(await program.url(), { method: "POST", body });
      assert.equal(response.status, 500);
      await response.body?.cancel();
      await program.waitFor(/receiveUploads needs the package multipasta, which cannot be loaded: Cannot find package/);
    } finally {
      Deno.renameSync(`${parser}-away`, parser);
    }
  });

  nodeTest(
    "The program runs workers, reloads them under load without an error, and stops them",
    async (own, version) => {
      own.write("app.js", APP);
      await using program = await supervise(["-w", "2", "app.js"], {
        cwd: own.directory,
        command: [own.node(version), own.program],
      });
      await program.atStrength(2);
      const url = await program.url();
      let isOver = false;
      let answers = 0;
      const load = Array.from({ length: 4 }, async () => {
        while (!isOver) {
          // A worker of Node 20 shares its socket with the others. If each has its own, the system may reset a new connection that
          // comes when one closes.
          const isNew = version === "20" && answers % 2 === 0;
          const response = await fetch(url, isNew ? { headers: { connection: "close" } } : {});
          assert.match(await response.text(), /^hello from/);
          answers++;
        }
      });
      for (let i = 0; i < 3; i++) assert.ok((await program.ask({ ask: "reload" })).ok);
      isOver = true;
      await Promise.all(load);
      assert.ok(answers > 0);
      program.kill("SIGUSR1");
      await program.waitFor(/-- weft engine state --[^]*\nActive clients: \d/);
      assert.equal((await program.stop()).code, 0);
    },
  );

  nodeTest("A save restarts the application", async (own, version) => {
    own.write("words.js", 'export const words = "before";\n');
    own.write("saved.js", 'import { words } from "./words.js";\nexport default () => new Response(words);\n');
    await using program = startOn(own, version, ["-r", "-p", "0", "saved.js"]);
    const url = await program.url();
    assert.equal(await (await fetch(url)).text(), "before");
    own.write("words.js", 'export const words = "after";\n');
    await program.waitFor(/changed: words\.js/);
    await program.waitFor(/restarted: gen=2/);
    assert.equal(await (await fetch(url)).text(), "after");
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
  });

  nodeTest("An application that cannot be loaded is explained, with the line and what to do", async (own, version) => {
    own.write("empty.js", "export const a = 1;\n");
    const cases: Readonly<Record<string, [source: string, said: RegExp]>> = {
      "syntax.js": [
        'export default () => {\n  return new Response("x";\n};\n',
        /syntax\.js:2:23\n\n {6}return new Resp[^\n]*\n {26}\^/,
      ],
      "unfinished.js": ["export default {\n  fetch( {", /unfinished\.js:2:11\n/],
      "inner.js": ['import "./syntax.js";\n', /syntax\.js:2:23\n/],
      "missing.js": [
        'import { a, nothing } from "./empty.js";\nexport default () => a;\n',
        /named 'nothing'\n {4}at \S+missing\.js:1:13\n\n {4}import \{ a, nothing \}[^\n]*\n {16}\^/,
      ],
      "bare.js": ['import "not-a-package";\n', /not-a-package'[^]*\(cd \S+ && npm install not-a-package\)/],
      "scheme.js": ['import "npm:hono";\n', /Type `npm install NAME`, and import NAME/],
      "commonjs/app.js": [
        'import { a } from "../empty.js";\nexport default () => a;\n',
        /app\.js:1:1\n[^]*\napp\.js is read as CommonJS because of \S+commonjs.package\.json\. Name it app\.mjs, or set "type"/,
      ],
      "text.js": [
        'import client from "@weft/engine/progress-client" with { type: "text" };\nexport default () => client;\n',
        /Node does not import text\. Read the file instead:\n {4}readFileSync\(/,
      ],
      "nothing.js": ["export const a = 1;\n", /exports nothing that can be served\nexpected [^\n]*; it exports a\n/],
      "nothing.cjs": ["module.exports = { a: 1 };\n", /nothing that can be served\n[^\n]*; its default export has a\n/],
      "throws.cjs": ['\nthrow new Error("on purpose");\n', /on purpose\n {4}at \S+throws\.cjs:2:7\n/],
      "throws.js": ['\nthrow new Error("on purpose");\n', /on purpose\n {4}at \S+throws\.js:2:7\n/],
    };
    Deno.mkdirSync(`${own.directory}/commonjs`, { recursive: true });
    own.write("commonjs/package.json", '{ "type": "commonjs" }');
    for (const [name, [source, said]] of Object.entries(cases)) {
      own.write(name, source);
      await using program = startOn(own, version, ["-p", "0", name]);
      const { code, stderr } = await program.ended;
      assert.match(stderr, said);
      assert.equal(code, 4, name);
    }
  });

  nodeTest("CommonJS, and TypeScript that this Node can run, are served", async (own, version) => {
    const cases: Readonly<Record<string, string>> = {
      "common.cjs": 'module.exports = { fetch: () => new Response("served") };\n',
      "compiled.cjs": 'exports.__esModule = true;\nexports.default = { fetch: () => new Response("served") };\n',
      "typed.ts": 'const text: string = "served";\nexport default (): Response => new Response(text);\n',
    };
    for (const [name, source] of Object.entries(cases)) {
      own.write(name, source);
      await using program = startOn(own, version, ["-p", "0", name]);
      if (name === "typed.ts" && version === "20") {
        const { code, stderr } = await program.ended;
        assert.match(stderr, /Node 20\S* does not run TypeScript\. Use Node 22\.18 or later/);
        assert.equal(code, 4);
        continue;
      }
      assert.equal(await (await fetch(await program.url())).text(), "served", name);
    }
  });

  packageTest("A store of progress in Redis says what to install, and works once it is there", async (own) => {
    const app = own.write("with_redis.js", 'export default () => new Response("hello");\n');
    // Nothing listens there.
    const args = ["--port", "0", "--upload-progress", "--progress-store", "redis://127.0.0.1:1", app];
    const said = async (line: RegExp) => {
      await using program = startOn(own, "20", args);
      assert.equal(await (await fetch(await program.url())).text(), "hello");
      await program.waitFor(line);
    };
    await said(/ERROR\] .*uploads go on without it: .*run `npm install @redis\/client`.*Cannot find package/);
    await install(own.directory, "@redis/client@6");
    await said(/WARN\] the progress store in Redis is away, .*ECONNREFUSED/);
  });

  packageTest("The package has types that a strict TypeScript takes", async (own) => {
    await install(own.directory, "typescript@5.9.3", "@types/node@20");
    own.write(
      "typed.ts",
      'import { serve, type Handler } from "@weft/engine";\n' +
        'import { attachUploadProgress } from "@weft/engine/progress-client";\n' +
        "const handler: Handler = (request, info) => new Response(`${request.url} ${info.connection.id}`);\n" +
        "export const server = serve({ port: 0 }, handler);\nexport const attach = attachUploadProgress;\n",
    );
    const flags = ["--module", "nodenext", "--target", "es2022", "--strict", "--skipLibCheck", "false", "--noEmit"];
    await run(own.directory, "npx", "tsc", ...flags, "--types", "node", "typed.ts");
  });

  packageTest("Both builders make the same package, byte for byte", async (own) => {
    const builders = ["scripts/npm/main.ts", "scripts/build_npm.ts"];
    const [one = "", other = ""] = await Promise.all(builders.map(async (builder, i) => {
      const directory = `${own.directory}/built-${i}`;
      await run(ROOT, Deno.execPath(), "run", "-A", builder, directory);
      return await run(directory, "sh", "-c", "find . -type f | sort | xargs sha256sum");
    }));
    assert.match(one, / \.\/esm\/src\/bin\.js\n/);
    assert.equal(other, one);
    for (const name of one.matchAll(/ (\S+)$/gm)) assert.doesNotMatch(name[1]!, /_test\.|deno_/);
  });

  packageTest("The package is at most 620 KB, and 180 KB packed", async (own) => {
    const told = await run(own.directory, "npm", "pack", own.tarball, "--dry-run", "--json");
    const [{ size, unpackedSize }] = JSON.parse(told);
    assert.ok(size <= 180_000 && unpackedSize <= 620_000, `${unpackedSize} bytes, ${size} packed`);
  });

  packageTest("The package is in order for publint and for types of every resolution that it supports", async (own) => {
    await run(own.directory, "npx", "-y", "publint@0.3", "--strict", own.tarball);
    await run(own.directory, "npx", "-y", "@arethetypeswrong/cli@0.18", "--profile", "esm-only", own.tarball);
  });
}
