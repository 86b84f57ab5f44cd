// WebSockets of the installed program on Node, with npm's ws as the client.

import assert from "node:assert/strict";
import WS from "npm:ws@^8";
import { certificates } from "../helpers/certificates.ts";
import { install, nodeTest, startOn } from "../helpers/npm_package.ts";
import { supervise } from "../helpers/supervised.ts";

const APP = `import { upgradeWebSocket } from "@weft/engine";

export default (request) => {
  if (request.headers.get("upgrade") === null) return new Response(typeof WebSocket);
  const { searchParams } = new URL(request.url);
  const protocol = searchParams.get("protocol") ?? undefined;
  const { socket, response } = upgradeWebSocket(request, { protocol, compress: searchParams.has("compress") });
  if (typeof WebSocket === "function") socket.onopen = () => { if (!(socket instanceof WebSocket)) socket.close(4999); };
  socket.onmessage = ({ data }) => {
    if (data === "throw") throw new Error("on purpose");
    if (data === "close") socket.close(4001, "as you like");
    else if (data === "blob") {
      socket.send(new Blob(["in a blob"]));
      socket.send("after it");
    } else socket.send(data);
  };
  socket.onclose = ({ code, reason, wasClean, constructor }) => console.log(\`ended \${code} "\${reason}" \${wasClean} \${constructor.name}\`);
  return response;
};
`;

/** How npm's ws sees the end. */
interface Ending {
  code: number;
  reason: string;
}

/** The client of npm's ws. What came waits until it is asked for. */
class Client {
  readonly socket: WS;
  readonly ended: Promise<Ending>;
  #came: string[] = [];
  #wanted: ((message: string) => void)[] = [];

  constructor(url: string, { protocols = [], ...options }: { protocols?: string[]; [option: string]: unknown } = {}) {
    const socket = this.socket = new WS(url.replace(/^http/, "ws"), protocols, options);
    const take = (message: string) => {
      const wanted = this.#wanted.shift();
      if (wanted === undefined) this.#came.push(message);
      else wanted(message);
    };
    socket.on("message", (data: Uint8Array, isBinary: boolean) => take(`${isBinary ? "binary " : ""}${data}`));
    socket.on("pong", (data: Uint8Array) => take(`pong ${data}`));
    socket.on(
      "unexpected-response",
      (_request: unknown, { statusCode }: { statusCode: number }) => take(`${statusCode}`),
    );
    socket.on("error", () => {});
    this.ended = new Promise((resolve) => {
      socket.on("close", (code: number, reason: Uint8Array) => resolve({ code, reason: String(reason) }));
    });
  }

  static async to(url: string, options = {}): Promise<Client> {
    const client = new Client(url, options);
    await new Promise((resolve, reject) => {
      client.socket.on("open", resolve);
      client.socket.on("error", reject);
    });
    return client;
  }

  next(): Promise<string> {
    const message = this.#came.shift();
    return message === undefined ? new Promise((resolve) => this.#wanted.push(resolve)) : Promise.resolve(message);
  }

  async ask(data: string | Uint8Array): Promise<string> {
    this.socket.send(data);
    return await this.next();
  }
}

/** Registers the tests of WebSockets on Node. */
export function webSocketTests(): void {
  for (const flags of [[], ["--no-fast-globals"]]) {
    const how = flags.length === 0 ? "" : `, with ${flags}`;
    nodeTest(`A WebSocket of the program says back what npm's ws sends${how}`, async (own, version) => {
      own.write("sockets.js", APP);
      await using program = startOn(own, version, ["-p", "0", ...flags, "sockets.js"]);
      const url = await program.url();
      for (const query of ["", "?compress", "?protocol=chat"]) {
        const protocols = query === "?protocol=chat" ? ["other", "chat"] : [];
        const client = await Client.to(`${url}/${query}`, { protocols });
        const { socket } = client;
        assert.equal(socket.protocol, query === "?protocol=chat" ? "chat" : "");
        assert.equal(socket.extensions, query === "?compress" ? "permessage-deflate" : "");
        assert.equal(await client.ask("h\u00e9"), "h\u00e9");
        assert.equal(await client.ask(new TextEncoder().encode("bytes")), "binary bytes");
        const long = "0123456789".repeat(100_000);
        assert.ok(await client.ask(long) === long);
        assert.equal(await client.ask("blob"), "binary in a blob");
        assert.equal(await client.next(), "after it");
        socket.send("in ", { fin: false });
        socket.ping("between");
        socket.send("three ", { fin: false });
        socket.send("fragments", { fin: true });
        assert.equal(await client.next(), "pong between");
        assert.equal(await client.next(), "in three fragments");
        socket.close(4000, "bye");
        assert.deepEqual(await client.ended, { code: 4000, reason: "bye" });
      }
      await program.waitForCount(/ended 4000 "bye" true CloseEvent/, 3);

      const told = await Client.to(url);
      told.socket.send("close");
      assert.deepEqual(await told.ended, { code: 4001, reason: "as you like" });
      const gone = await Client.to(url);
      gone.socket.terminate();
      await program.waitFor(/ended 1006 "" false CloseEvent/);

      const wrong = new Client(url, { protocolVersion: 8 });
      assert.equal(await wrong.next(), "426");
      const { status, headers } = await fetch(url, { headers: { "x-a": "no handshake" } });
      assert.deepEqual([status, headers.get("upgrade")], [200, null]);
      const stranger = new Client(`${url}/?protocol=none`);
      assert.equal(await stranger.next(), "500");

      const last = await Client.to(url);
      program.kill("SIGTERM");
      assert.deepEqual(await last.ended, { code: 1001, reason: "" });
      assert.equal((await program.ended).code, 0);
    });
  }

  nodeTest("What a handler of a WebSocket throws is logged, and the socket goes on", async (own, version) => {
    // A library may have put a class there that is not made for sockets of a server.
    own.write(
      "patched.js",
      `globalThis.WebSocket ??= class extends Array {};\nexport { default } from "./sockets.js";\n`,
    );
    own.write("sockets.js", APP.replace("instanceof WebSocket", "instanceof EventTarget"));
    await using program = startOn(own, version, ["-p", "0", "patched.js"]);
    const client = await Client.to(await program.url());
    client.socket.send("throw");
    await program.waitFor(/\[ERROR\] uncaught error: Error: on purpose/);
    assert.equal(await client.ask("still there"), "still there");
    client.socket.terminate();
  });

  nodeTest("A reload tells WebSockets 1012, a stop 1001, and the dump shows them", async (own, version) => {
    own.write("sockets.js", APP);
    await using program = await supervise(["-w", "2", "--max-message-size", "1k", "sockets.js"], {
      cwd: own.directory,
      command: [own.node(version), own.program],
    });
    await program.atStrength(2);
    const url = await program.url();
    const open = (count: number) => Promise.all(Array.from({ length: count }, () => Client.to(url)));
    const clients = await open(20);
    for (const client of clients) assert.equal(await client.ask("hi"), "hi");
    const { stdout } = await program.ctl("dump");
    assert.equal([...stdout.matchAll(/ upgraded +\S+ +1 +GET +\/ +\S+ +\d+ +\S+ +1\/1$/gm)].length, 20);
    clients[0]!.socket.send("x".repeat(1025));
    assert.equal((await clients.shift()!.ended).code, 1009);
    assert.ok((await program.ask({ ask: "reload" })).ok);
    for (const client of clients) assert.deepEqual(await client.ended, { code: 1012, reason: "" });
    await program.atStrength(2);
    const [again] = await open(1);
    assert.equal(await again!.ask("hi"), "hi");
    assert.equal((await program.stop()).code, 0);
    assert.deepEqual(await again!.ended, { code: 1001, reason: "" });
  });

  nodeTest("A WebSocket over TLS", async (own, version) => {
    const { ca, cert, key } = await certificates();
    own.write("sockets.js", APP);
    own.write("cert.pem", cert);
    own.write("key.pem", key);
    const flags = ["--host", "localhost", "--cert", "cert.pem", "--key", "key.pem"];
    await using program = startOn(own, version, ["-p", "0", ...flags, "sockets.js"]);
    const { port } = new URL(await program.url());
    const client = await Client.to(`https://localhost:${port}`, { ca });
    const long = "0123456789".repeat(50_000);
    assert.ok(await client.ask(long) === long);
    client.socket.close(1000);
    assert.equal((await client.ended).code, 1000);
  });

  nodeTest("The recipes for Hono and crossws work as docs/websockets.md has them", async (own, version) => {
    await install(own.directory, "hono@4", "crossws@0.4");
    for (const [name, query] of [["hono", "?name=Ada"], ["crossws", ""]] as const) {
      own.write(`${name}.js`, recipe(name));
      await using program = startOn(own, version, ["-p", "0", `${name}.js`]);
      const url = `${await program.url()}/${name}${query}`;
      assert.equal((await fetch(url)).status, name === "hono" ? 404 : 200);
      const client = await Client.to(url);
      assert.equal(await client.next(), name === "hono" ? "hello Ada" : "open /crossws");
      if (name === "hono") assert.equal(await client.ask("a"), "said a");
      else {
        const other = await Client.to(url);
        assert.equal(await other.next(), "open /crossws");
        assert.equal(await client.ask("x"), "echo x");
        assert.equal(await other.next(), "x");
        other.socket.close(1000);
        assert.equal((await other.ended).code, 1000);
      }
      program.kill("SIGTERM");
      assert.equal((await client.ended).code, 1001);
      assert.equal((await program.ended).code, 0);
      assert.doesNotMatch(program.stderr, /\[ERROR\]/);
    }
  });
}

/** The application in the section of the documentation that has a name. */
function recipe(name: string): string {
  const text = Deno.readTextFileSync(new URL("../../docs/websockets.md", import.meta.url));
  const [, section = ""] = text.split(new RegExp(`^### ${name}$`, "im"));
  return /^```js\n(.*?)^```$/ms.exec(section)?.[1] ?? "";
}
