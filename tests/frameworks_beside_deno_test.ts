// Applications of frameworks from npm answer the same under Deno.serve and under Weft. Installs from npm, so it runs if CI=true.

import assert from "node:assert/strict";
import { bare, type Conversation, CONVERSATIONS } from "./fixtures/framework_requests.ts";
import { frameworkFiles } from "./fixtures/frameworks.ts";
import { answered, type ComparedAnswer, sending } from "./helpers/beside_deno.ts";
import { buildTest, install } from "./helpers/building.ts";
import { itemAt } from "./helpers/items.ts";
import { type Running, start } from "./helpers/program.ts";
import { type Project, project } from "./helpers/projects.ts";
import { supervise } from "./helpers/supervised.ts";

/** Serves each application with Deno.serve, and with Weft under each policy for bodies; tells the ports. */
const SERVES_ALL = `
import { serve } from "${new URL("../mod.ts", import.meta.url)}";
const quiet = { port: 0, hostname: "127.0.0.1", onListen() {} };
for (const name of Deno.args) {
  const ports = [];
  for (const body of [null, "stream", "auto", "whole"]) {
    const { controlled, default: app } = await import(\`./\${name}.js?\${body}\`);
    const handler = controlled((request) => app.fetch(request));
    const { addr } = body === null ? Deno.serve(quiet, handler) : serve({ ...quiet, body }, handler);
    ports.push(addr.port);
  }
  console.log(name, ...ports);
}
`;

/** What an application answered, by the names of the requests. */
type Answers = Record<string, ComparedAnswer | null>;

async function ask(port: number, request: string): Promise<ComparedAnswer | null> {
  using client = await sending(port, request);
  return await answered(client);
}

/** Has the whole conversation. */
async function converse(port: number, conversation: Conversation): Promise<Answers> {
  const { opening = {}, stream, hold, requests, closing = {} } = conversation;
  const answers: Answers = {};
  const askAll = async (all: Conversation["requests"]) => {
    for (const [name, request] of Object.entries(all)) answers[name] = await ask(port, request);
  };
  await askAll(opening);

  using streamed = await sending(port, stream);
  await streamed.until("\r\n\r\n");
  assert.match(streamed.text, /^HTTP\/1\.1 200 /);
  await streamed.until("one");
  assert.doesNotMatch(streamed.text, /two/, "the second piece waits for /open");
  await askAll({ "the request that lets the stream go on": bare("GET", "/open") });
  answers["a stream"] = await answered(streamed);

  await askAll(requests);

  {
    using _leaves = await sending(port, hold);
    await askAll({ "a request that is held": bare("GET", "/begun") });
  }
  await askAll({ "the application has seen the client leave": bare("GET", "/left") });
  await askAll(closing);
  return answers;
}

/** An answer of Deno.serve without what Weft does not send: two rows of the table in docs/http-behaviour.md. */
function expected(answer: ComparedAnswer | null, request: string | undefined): ComparedAnswer | null {
  if (answer === null) return null;
  const left = ["connection: keep-alive", ...request?.startsWith("HEAD ") ? ["content-length: 0"] : []];
  return { ...answer, fields: answer.fields.filter((field) => !left.includes(field)) };
}

/** The ports of an application: that of Deno.serve, then those of Weft. */
async function portsOf(program: Running, name: string): Promise<number[]> {
  const [, ports = ""] = await program.waitFor(new RegExp(`^${name}((?: \\d+)+)$`, "m"));
  return ports.trim().split(" ").map(Number);
}

/** Serves all applications from one process, and compares every answer. Gives the answers of Deno.serve. */
async function compareAll(own: Project): Promise<Record<string, Answers>> {
  const command = [Deno.execPath(), "run", "-A", "--no-lock", "all.js"];
  await using program = start(Object.keys(CONVERSATIONS), { cwd: own.directory, command });
  const all: Record<string, Answers> = {};
  for (const [name, conversation] of Object.entries(CONVERSATIONS)) {
    const [denoPort = 0, ...ports] = await portsOf(program, name);
    assert.equal(ports.length, 3);
    const deno = all[name] = await converse(denoPort, conversation);
    for (const port of ports) {
      const weft = await converse(port, conversation);
      for (const [what, answer] of Object.entries(deno)) {
        assert.deepEqual(weft[what], expected(answer, conversation.requests[what]), `${name}: ${what}`);
      }
    }
  }
  return all;
}

/** Asks the program the first request of the conversation. */
async function compareFirst(program: Running, name: string, deno: Answers): Promise<void> {
  const { opening, requests } = CONVERSATIONS[name] ?? { requests: {} };
  const [what, request] = itemAt(Object.entries(opening ?? requests), 0);
  const answer = await ask(Number(new URL(await program.url()).port), request);
  assert.equal(answer?.status, 200, name);
  assert.deepEqual(answer, expected(deno[what] ?? null, request), name);
}

buildTest("Hono, Elysia, h3, Yoga, tRPC, oRPC and MCP answer under Weft as they do under Deno.serve", async (test) => {
  await using own = await project({ ...frameworkFiles(), "all.js": SERVES_ALL });
  await install(own.directory);
  let deno: Record<string, Answers> = {};
  await test.step("the library answers the same", async () => {
    deno = await compareAll(own);
  });
  await test.step("the program serves each of them", async () => {
    for (const [name, answers] of Object.entries(deno)) {
      await using program = start(["-p", "0", `${name}.js`], { cwd: own.directory });
      await compareFirst(program, name, answers);
    }
  });
  await test.step("a worker serves two of them", async () => {
    for (const name of ["elysia", "mcp"]) {
      await using program = await supervise(["-w", "1", `${name}.js`], { cwd: own.directory });
      await compareFirst(program, name, deno[name] ?? {});
      assert.equal((await program.stop()).code, 0);
    }
  });
});
