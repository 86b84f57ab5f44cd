// WebSockets of the program: many of them through a reload under load, its stop, its flag, and what `ctl` shows.

import assert from "node:assert/strict";
import { Load } from "../helpers/load.ts";
import { linuxTest } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";
import { supervise } from "../helpers/supervised.ts";
import { Chatter } from "../helpers/web_sockets.ts";

/** On Deno it is the runtime's own function that does it, under the program. Node has none. */
const UPGRADE = runtime.nodeMajor === null
  ? "const { upgradeWebSocket } = Deno;"
  : `import { upgradeWebSocket } from "${runtime.packageName}";`;

const APP = `
${UPGRADE}
export default (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response("plain");
  const { socket, response } = upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
};
`;

const SOCKETS = 1000;

async function appIn(): Promise<{ app: string; directory: string }> {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const app = `${directory}/app.${runtime.ending}`;
  await Deno.writeTextFile(app, APP);
  return { app, directory };
}

/** Opens so many, a few at a time. */
async function open(url: string, count: number): Promise<Chatter[]> {
  const chatters: Chatter[] = [];
  const some = async () => {
    while (chatters.length < count) {
      const chatter = new Chatter(url);
      chatters.push(chatter);
      await chatter.opened;
    }
  };
  await Promise.all(Array.from({ length: 50 }, some));
  return chatters;
}

linuxTest("A reload under load tells each of 1,000 sockets 1012 and cuts none, and a stop tells 1001", async () => {
  const { app, directory } = await appIn();
  await using program = await supervise(["-w", "2", app], { directory });
  const url = await program.url();
  await program.atStrength(2);
  const chatters = await open(url, SOCKETS);
  await using load = new Load(await program.port(), { clients: 4, isKeptAlive: true });
  await load.more(50);
  // Messages are under way while the reload begins.
  const said = chatters.map(async (chatter, i) => {
    chatter.socket.send(`message ${i}`);
    return await chatter.next() === `message ${i}`;
  });
  const reply = await program.ask({ ask: "reload" });
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.ok((await Promise.all(said)).every((isRight) => isRight));
  const ends = await Promise.all(chatters.map((chatter) => chatter.ended));
  const others = ends.filter(({ code, wasClean }) => code !== 1012 || !wasClean);
  assert.deepEqual(others, []);
  await load.more(50);
  await load.stop();
  assert.deepEqual(load.failed.filter(({ last }) => last !== null), []);

  const again = await open(url, 10);
  await program.stop();
  assert.deepEqual([...new Set((await Promise.all(again.map((chatter) => chatter.ended))).map(({ code }) => code))], [
    1001,
  ]);
  assert.doesNotMatch(program.stderr, /\[ERROR\]/);
});

linuxTest("ctl dump shows sockets, and --max-message-size closes with 1009", async () => {
  const { app, directory } = await appIn();
  await using program = await supervise(["-w", "1", "--max-message-size", "1k", app], { directory });
  const url = await program.url();
  await program.atStrength(1);
  const chatter = await Chatter.to(`${url}/room?secret=1`);
  chatter.socket.send("x".repeat(1024));
  assert.equal(String(await chatter.next()).length, 1024);
  const { stdout } = await program.ctl("dump");
  assert.match(stdout, /idle +messages in\/out\n/);
  assert.match(stdout, / upgraded +\S+ +1 +GET +\/room +1032\/-1 +\d+ +\S+ +1\/1\n/);
  assert.doesNotMatch(stdout, /secret/);
  chatter.socket.send("x".repeat(1025));
  assert.equal((await chatter.ended).code, 1009);
});
