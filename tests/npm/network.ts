// Where the installed program listens on Node: TLS, Unix sockets, sockets that were handed over, and addresses that it cannot have.

import assert from "node:assert/strict";
import { certificates } from "../helpers/certificates.ts";
import { canInherit, inheriting } from "../helpers/inherited.ts";
import { nodeTest, startOn } from "../helpers/npm_package.ts";
import { start } from "../helpers/program.ts";
import { supervise } from "../helpers/supervised.ts";

const APP = `export default async (request, info) =>
  new Response(\`\${new URL(request.url).protocol} \${info.remoteAddr.transport} \${(await request.text()).length}\`);
`;

/** Bytes of an upload that takes many reads and writes of TLS. */
const LONG = 3_000_000;

/** Registers the tests of where the program listens. */
export function networkTests(): void {
  nodeTest("The program speaks TLS, and closes a handshake that does not end", async (own, version) => {
    const { ca, cert, key, otherKey } = await certificates();
    own.write("app.js", APP);
    const pems = { cert: own.write("cert.pem", cert), key: own.write("key.pem", key) };
    const args = ["-p", "0", "--cert", pems.cert, "--key", pems.key, "--header-timeout", "1", "app.js"];
    await using program = startOn(own, version, args);
    const url = await program.url();
    assert.match(url, /^https:/);
    using client = Deno.createHttpClient({ caCerts: [ca] });
    const body = "w".repeat(LONG);
    assert.equal(await (await fetch(url, { client, method: "POST", body })).text(), `https: tcp ${LONG}`);
    using silent = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    // The write of a TLS alert, or a reset.
    const into = new Uint8Array(100);
    while (await silent.read(into).catch(() => null) !== null);
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
    const wrong = own.write("other.pem", otherKey);
    await using refused = startOn(own, version, ["-p", "0", "--cert", pems.cert, "--key", wrong, "app.js"]);
    const { code, stderr } = await refused.ended;
    assert.notEqual(code, 0);
    assert.doesNotMatch(stderr, /^ +at /m);
  });

  nodeTest("The program reads the PROXY header before TLS starts", async (own, version) => {
    const { ca, cert, key } = await certificates();
    own.write("who.js", "export default (_, info) => new Response(info.remoteAddr.hostname);\n");
    const pems = ["--cert", own.write("cert.pem", cert), "--key", own.write("key.pem", key)];
    await using program = startOn(own, version, [
      ...["-p", "0", "--trust-proxy", "127.0.0.1", "--proxy-protocol"],
      ...pems,
      "who.js",
    ]);
    const port = Number(new URL(await program.url()).port);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("PROXY TCP4 192.0.2.7 127.0.0.1 5000 443\r\n"));
    using secure = await Deno.startTls(connection, { hostname: "localhost", caCerts: [ca] });
    await secure.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    let text = "";
    const into = new Uint8Array(1000);
    for (let n = await secure.read(into); n !== null; n = await secure.read(into)) {
      text += new TextDecoder().decode(into.subarray(0, n));
    }
    assert.match(text, /\r\n\r\n192\.0\.2\.7$/);
  });

  nodeTest(
    "The program replaces the socket of a killed one, not a live one, and removes its own",
    async (own, version) => {
      own.write("app.js", APP);
      const path = `${own.directory}/app.sock`;
      const client = () => Deno.createHttpClient({ proxy: { transport: "unix", path } });
      {
        await using killed = startOn(own, version, ["--unix", path, "app.js"]);
        await killed.waitFor(/unix:/);
        killed.kill("SIGKILL");
        await killed.ended;
      }
      assert.ok(Deno.lstatSync(path).isSocket);
      await using program = startOn(own, version, ["--unix", path, "app.js"]);
      await program.waitFor(/unix:/);
      await using second = startOn(own, version, ["--unix", path, "app.js"]);
      const { code, stderr } = await second.ended;
      assert.equal(code, 1);
      assert.match(stderr, /another process listens there/);
      using http = client();
      assert.equal(await (await fetch("http://localhost/", { client: http })).text(), "http: unix 0");
      program.kill("SIGTERM");
      assert.equal((await program.ended).code, 0);
      assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
    },
  );

  nodeTest("A socket that was handed over is served, by one process and by workers", async (own, version) => {
    assert.ok(canInherit, "this test needs perl");
    own.write("app.js", APP);
    const command = [...inheriting(true), own.node(version), own.program];
    await using one = start(["app.js"], { cwd: own.directory, command });
    assert.equal(await (await fetch(await one.url())).text(), "http: tcp 0");
    one.kill("SIGTERM");
    assert.equal((await one.ended).code, 0);
    await using workers = await supervise(["-w", "2", "app.js"], { cwd: own.directory, command, port: [] });
    await workers.atStrength(2);
    const url = await workers.url();
    assert.ok((await workers.ask({ ask: "reload" })).ok);
    assert.equal(await (await fetch(url)).text(), "http: tcp 0");
    assert.equal((await workers.stop()).code, 0);
  });

  nodeTest(
    "An address that cannot be used ends the program with 1 and one line that says why",
    async (own, version) => {
      own.write("app.js", APP);
      await using first = startOn(own, version, ["-p", "0", "app.js"]);
      const port = new URL(await first.url()).port;
      const cases: readonly [args: string[], said: RegExp][] = [
        [["-p", port], /another process listens there \(EADDRINUSE\)/],
        [["-w", "2", "-p", port], /another process listens there \(EADDRINUSE\)/],
        [["-p", "0", "--host", "192.0.2.1"], /this machine has no such address \(EADDRNOTAVAIL\)/],
        [["-p", "0", "--host", "no-such-host.invalid"], /the name no-such-host\.invalid is not known/],
      ];
      for (const [args, said] of cases) {
        await using program = startOn(own, version, [...args, "app.js"]);
        const { code, stderr } = await program.ended;
        assert.match(stderr, said);
        assert.ok(code === 1 || args.includes("-w"), `${code} after ${stderr}`);
      }
    },
  );

  nodeTest("A name that the system knows can be listened on", async (own, version) => {
    own.write("app.js", APP);
    await using program = startOn(own, version, ["-p", "0", "--host", "localhost", "app.js"]);
    assert.match(await program.url(), /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  nodeTest(
    "With no descriptor left, new connections are refused with a line, and the others are served",
    async (own, version) => {
      own.write("app.js", APP);
      await using program = start(["-p", "0", "app.js"], {
        cwd: own.directory,
        command: [own.node(version), own.program],
        shell: "ulimit -n 600",
      });
      const port = Number(new URL(await program.url()).port);
      const open: Deno.Conn[] = [];
      try {
        for (let i = 0; i < 560; i++) open.push(await Deno.connect({ hostname: "127.0.0.1", port }));
        await program.waitFor(/cannot accept, trying again in \d+ ms: too many open files/);
        const [first] = open;
        assert.ok(first !== undefined);
        await first.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        const into = new Uint8Array(1000);
        assert.match(new TextDecoder().decode(into.subarray(0, await first.read(into) ?? 0)), /^HTTP\/1\.1 200 /);
      } finally {
        for (const connection of open) connection.close();
      }
    },
  );
}
