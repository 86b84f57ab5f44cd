// A program that calls Deno.serve itself is served: alone, with workers, and with Deno's own contract for what it gets.

import assert from "node:assert/strict";
import { certificates } from "../helpers/certificates.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { linuxTest, runToEnd, start, unixTest } from "../helpers/program.ts";
import { project } from "../helpers/projects.ts";
import { supervise } from "../helpers/supervised.ts";

const get = async (url: string) => await (await fetch(url)).text();

/** Serves one module with the program, on a free port unless the module chooses. */
async function serving(source: string, call: (program: ReturnType<typeof start>) => Promise<void>, args = ["-p", "0"]) {
  await using own = await project({ "app.ts": source });
  await using program = start([...args, own.path("app.ts")]);
  await call(program);
}

unixTest(
  "A program that calls Deno.serve is served with the handler that it passes, in each form of the call",
  async () => {
    const handler = "(_request, info) => new Response(`from ${info.remoteAddr.hostname}`)";
    for (const call of [handler, `{ port: 8000 }, ${handler}`, `{ handler: ${handler} }`, `undefined, ${handler}`]) {
      await serving(`Deno.serve(${call});`, async (program) => {
        assert.equal(await get(await program.url()), "from 127.0.0.1", call);
        program.kill("SIGTERM");
        assert.equal((await program.ended).code, 0);
      });
    }
  },
);

linuxTest("A flag overrides what is passed to Deno.serve, and that overrides variables", async () => {
  const files = { "app.ts": "Deno.serve({ port: 0, hostname: '127.0.0.2' }, () => new Response('x'));" };
  await using own = await project(files);
  await using program = start([own.path("app.ts")], { env: { PORT: "1", WEFT_HOST: "127.0.0.3" } });
  assert.match(await program.url(), /^http:\/\/127\.0\.0\.2:\d+$/);
  await using other = start(["--host", "127.0.0.4", own.path("app.ts")], { env: { PORT: "1" } });
  assert.match(await other.url(), /^http:\/\/127\.0\.0\.4:\d+$/);
});

Deno.test("onListen and onError of the call are called, and the address is known at once", async () => {
  const source = `
    const server = Deno.serve({
      port: "0",
      onListen: ({ hostname, port }) => console.log("listens", hostname, port),
      onError: (error) => new Response(error.message, { status: 503 }),
    }, () => { throw new Error("on purpose"); });
    console.log("address", server.addr.hostname, server.addr.port);
  `;
  await serving(source, async (program) => {
    const url = await program.url();
    const response = await fetch(url);
    assert.deepEqual([response.status, await response.text()], [503, "on purpose"]);
    const { hostname, port } = new URL(url);
    await program.waitFor(new RegExp(`^address ${hostname} ${port}$`, "m"));
    await program.waitFor(new RegExp(`^listens ${hostname} ${port}$`, "m"));
  }, []);
});

unixTest("A program that awaits the server's end is loaded, and does at the end what stands after that", async () => {
  const source = `
    const server = Deno.serve(() => new Response("served"));
    await server.finished;
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log("cleaned up");
  `;
  await serving(source, async (program) => {
    assert.equal(await get(await program.url()), "served");
    program.kill("SIGTERM");
    const { code, stdout } = await program.ended;
    assert.equal(code, 0);
    assert.match(stdout, /\ncleaned up\n/);
  });
});

Deno.test("The server that a program gets can be shut down by it, parts taken off, and answers are complete", async () => {
  for (const stop of [".shutdown()", "[Symbol.asyncDispose]()", "signal"]) {
    const source = `
      const stopped = new AbortController();
      const server = Deno.serve({ signal: stopped.signal }, async (_request, info) => {
        info.completed.then(${stop === "signal" ? "() => stopped.abort()" : `() => server${stop}`});
        return new Response("the last one");
      });
      server.unref();
      server.ref();
      const { finished, shutdown } = server;
      console.log(typeof shutdown, finished instanceof Promise, server.finished === finished);
      await finished;
      console.log("finished");
    `;
    await serving(source, async (program) => {
      assert.equal(await get(await program.url()), "the last one", stop);
      const { code, stdout } = await program.ended;
      assert.equal(code, 0);
      assert.match(stdout, /^function true true\n/);
      assert.match(stdout, /\nfinished\n/);
    });
  }
});

Deno.test("A program that goes on loading after its call is served meanwhile, and what fails then is logged", async () => {
  const source = `
    const asked = Promise.withResolvers();
    Deno.serve(() => { asked.resolve(); return new Response("served"); });
    await asked.promise;
    throw new Error("too late to be a failure to load");
  `;
  await serving(source, async (program) => {
    const url = await program.url();
    assert.equal(await get(url), "served");
    await program.waitFor(/ERROR\] the application failed after its call of Deno\.serve: .*too late/);
    assert.equal(await get(url), "served");
  });
});

Deno.test("A program that fails right after its call, or calls without a handler, is not loaded", async () => {
  const failures: [string, RegExp][] = [
    [
      "Deno.serve(() => new Response());\nthrow new Error('no database');\n",
      /Error: no database\n {4}at .*app\.ts:2:7/,
    ],
    ["Deno.serve({ port: 0 });\n", /TypeError: Cannot serve HTTP requests: handler must be a function/],
    [
      "Deno.serve({ certFile: 'a.pem' }, () => new Response());\n",
      /its call of Deno\.serve: .* the option certFile: pass/,
    ],
  ];
  for (const [source, message] of failures) {
    await using own = await project({ "app.ts": source });
    const { code, stderr } = await runToEnd(["-p", "0", own.path("app.ts")]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("A script that calls Deno.serve later, after something that it does not await, is waited for", async () => {
  const source =
    "async function main() { await new Promise((done) => setTimeout(done, 20)); Deno.serve(() => new Response('late')); }\nmain();\n";
  await serving(source, async (program) => {
    assert.equal(await get(await program.url()), "late");
    assert.match(program.stderr, /app\.ts exports nothing; it has 5 s to call Deno\.serve/);
  });
});

Deno.test("A handler that is exported beside the call is not served, and a line says so; exported hooks count", async () => {
  const source = `
    export const accept = () => new Response("refused", { status: 401 });
    export default () => new Response("exported");
    Deno.serve(() => new Response("passed"));
  `;
  await serving(source, async (program) => {
    assert.equal((await fetch(await program.url())).status, 401);
    assert.match(
      program.stderr,
      /WARN\] .*app\.ts exports a handler and calls Deno\.serve: the handler of the call is/,
    );
  });
});

unixTest("A second server of a program is its own, and all workers and generations share its port", async () => {
  const probe = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = probe.addr;
  probe.close();
  const source = `
    Deno.serve(() => new Response("first"));
    Deno.serve({ port: ${port}, hostname: "127.0.0.1", onListen() {} }, () => new Response("second"));
  `;
  await using own = await project({ "app.ts": source });
  await using program = await supervise(["-w", "2", own.path("app.ts")]);
  await program.atStrength(2);
  assert.equal(await get(await program.url()), "first");
  assert.equal(await get(`http://127.0.0.1:${port}`), "second");
  assert.match(program.stderr, /the application serves 127\.0\.0\.1:\d+ by itself: only its first server is Weft's/);
  assert.ok((await program.ask({ ask: "reload" })).ok);
  assert.equal(await get(`http://127.0.0.1:${port}`), "second");
  assert.equal((await program.stop()).code, 0);
});

unixTest("Workers, reload, restart and ctl work for a program that calls Deno.serve", async () => {
  const source = (word: string) => `
    const server = Deno.serve(() => new Response("${word} " + Deno.env.get("WEFT_WORKER")));
    await server.finished;
    console.log("worker", Deno.env.get("WEFT_WORKER"), "is finished");
  `;
  await using own = await project({ "app.ts": source("old") });
  await using program = await supervise(["-w", "2", "-r", own.path("app.ts")]);
  await program.atStrength(2);
  const url = await program.url();
  assert.match(await get(url), /^old [12]$/);
  await Deno.writeTextFile(own.path("app.ts"), source("new"));
  await program.waitFor(/gen=2 .*ready in/);
  await program.atStrength(2);
  assert.match(await get(url), /^new [12]$/);
  const { code, stdout } = await program.ctl("reload");
  assert.equal(code, 0, stdout);
  await program.waitForCount(/worker [12] is finished/, 4);
  assert.equal((await program.stop()).code, 0);
  await program.waitForCount(/worker [12] is finished/, 6);
});

unixTest("A worker whose application shuts its server down leaves and is replaced", async () => {
  const source = `
    const server = Deno.serve((_request, info) => {
      info.completed.then(() => server.shutdown());
      return new Response(String(Deno.pid));
    });
  `;
  await using own = await project({ "app.ts": source });
  await using program = await supervise(["-w", "1", own.path("app.ts")]);
  const url = await program.url();
  const first = await get(url);
  await program.waitForCount(/worker=1 .* ready in/, 2);
  assert.notEqual(await get(url), first);
});

unixTest("A program that chooses a Unix socket or TLS gets it", async () => {
  const { cert, key, ca } = await certificates();
  await serving(
    `Deno.serve({ port: 0, cert: ${JSON.stringify(cert)}, key: ${JSON.stringify(key)} }, () => new Response("safe"));`,
    async (program) => {
      using client = Deno.createHttpClient({ caCerts: [ca] });
      const url = (await program.url()).replace("127.0.0.1", "localhost");
      assert.match(url, /^https:/);
      assert.equal(await (await fetch(url, { client })).text(), "safe");
    },
    [],
  );
  await using own = await project({});
  const path = own.path("app.sock");
  await Deno.writeTextFile(own.path("app.ts"), `Deno.serve({ path: "${path}" }, () => new Response("by path"));`);
  await using program = start([own.path("app.ts")]);
  assert.equal(await program.url(), `unix:${path}`);
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  assert.equal(await (await fetch("http://localhost/", { client })).text(), "by path");
});

unixTest("examples/library.ts, which serves with the library, can be given as an application", async () => {
  const library = fromFileUrl(new URL("../../examples/library.ts", import.meta.url));
  await using program = start(["-p", "0", library]);
  const url = await program.url();
  assert.equal(await get(`${url}/x`), `GET ${url}/x from 127.0.0.1\n`);
  program.kill("SIGTERM");
  assert.equal((await program.ended).code, 0);
});

Deno.test("deno run --preload @weft/engine/preload serves a program that is not changed with Weft", async () => {
  const preload = new URL("../../src/engine/preload.ts", import.meta.url).href;
  const source = `
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1" }, (request) => {
      if (request.url.endsWith("/stop")) server.shutdown();
      return new Response("ok");
    });
    await server.finished;
    console.log("finished");
  `;
  const imports = { "@weft/engine/preload": preload };
  await using own = await project({ "main.ts": source, "deno.json": JSON.stringify({ imports }) });
  const options = { cwd: own.directory, deno: ["-A", "--preload", "@weft/engine/preload"], program: "main.ts" };
  await using program = start([], options);
  const [, url = ""] = await program.waitFor(/Listening on (http:\/\/127\.0\.0\.1:\d+\/)/);
  // Deno itself refuses HTTP/1.2 with 400.
  using connection = await Deno.connect({ port: Number(new URL(url).port), hostname: "127.0.0.1" });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.2\r\nHost: x\r\n\r\n"));
  const buffer = new Uint8Array(1024);
  const count = await connection.read(buffer);
  assert.match(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(await get(`${url}stop`), "ok");
  const { code, stdout } = await program.ended;
  assert.equal(code, 0);
  assert.match(stdout, /finished\n$/);
});
