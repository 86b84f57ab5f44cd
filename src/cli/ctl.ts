// Runs `weft ctl`: asks a supervisor and prints its answer.

import { mebibytes, seconds, showTable } from "../inspect/dump.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import { findControlPath } from "../prefork/control_path.ts";
import { LineChannel } from "../prefork/line_channel.ts";
import type { Question, Reply, Status } from "../prefork/messages.ts";
import { messageOf } from "../platform/log.ts";
import type { Platform } from "../platform/ports.ts";
import { oneOf, readCount } from "./values.ts";

const COMMANDS = ["status", "top", "dump", "reload", "scale", "stop"] as const;

const HELP = `weft ctl [--control PATH] COMMAND [--json]

  status           how it stands; ends with 0 while it serves, otherwise with 1
  dump             the state of every process, as USR1 prints it
  top              the same, drawn anew each second on a terminal
  reload           a new generation of workers, all or nothing; ends with 4 where it came to nothing
  scale +1|-1|N    one worker more, one fewer, or so many
  stop             stops gracefully

Without --control, or the variable WEFT_CONTROL, it asks the only supervisor that was started without one.
`;

/** How often `top` draws anew. */
const TOP_EVERY_MS = 1_000;
const CLEAR_SCREEN = "\x1b[2J\x1b[H";

/** What `weft ctl` was told. */
interface Command {
  name: typeof COMMANDS[number];
  scale?: { to: number } | { by: number } | undefined;
  control?: string | undefined;
  json: boolean;
}

/**
 * Asks a supervisor.
 *
 * @param args the arguments after `ctl`
 * @param platform the runtime
 * @returns the exit code: 0, 1 if a status is not "serving", 4 if a reload failed
 * @throws {Failure} if it was not understood, no supervisor runs, several do, or it does not answer
 */
export async function ctl(args: readonly string[], platform: Platform): Promise<number> {
  const { process } = platform;
  if (args.some((word) => ["--help", "-?", "-h"].includes(word))) {
    process.stdout(HELP);
    return 0;
  }
  const command = readCommand(args, process.env);
  const path = command.control ?? await findControlPath(platform);
  if (command.name === "top") return await top(path, platform);
  const reply = await ask(path, questionOf(command), platform);
  if (!reply.ok) {
    process.stderr(`weft ctl: ${reply.text}\n`);
    return reply.code;
  }
  if ("status" in reply) {
    process.stdout(command.json ? `${JSON.stringify(reply.status)}\n` : showStatus(reply.status));
    return reply.status.state === "serving" ? 0 : 1;
  }
  const text = reply.text.endsWith("\n") ? reply.text : `${reply.text}\n`;
  process.stdout(command.json ? `${JSON.stringify({ text: reply.text })}\n` : text);
  return 0;
}

function readCommand(args: readonly string[], env: (name: string) => string | undefined): Command {
  const words: string[] = [];
  let control = env("WEFT_CONTROL") || undefined;
  let json = false;
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--json") json = true;
    else if (word === "--control") control = rest.shift();
    else if (word.startsWith("--control=")) control = word.slice("--control=".length);
    else if (word.startsWith("--")) {
      throw Failure.usage(`ctl: unknown flag ${word}; it takes --control PATH and --json`);
    } else words.push(word);
    if (word.startsWith("--control") && (control ?? "") === "") {
      throw Failure.usage("ctl: --control needs a value: --control PATH");
    }
  }
  const [name, figure, ...more] = words;
  if (!COMMANDS.includes(name as Command["name"])) {
    throw Failure.usage(`ctl: expected ${oneOf(COMMANDS)}, got ${name ?? "nothing"}`);
  }
  const extra = name === "scale" ? more : words.slice(1);
  if (extra.length > 0) throw Failure.usage(`ctl ${name}: unexpected ${extra.join(" ")}`);
  const scale = name === "scale" ? readScale(figure) : undefined;
  return { name: name as Command["name"], scale, control, json };
}

function readScale(text: string | undefined): { to: number } | { by: number } {
  if (text === undefined) throw Failure.usage("ctl scale: expected a number of workers, or +1 or -1");
  const sign = /^[+-]/.test(text) ? text.charAt(0) : "";
  let count: number;
  try {
    count = readCount(text.slice(sign.length));
  } catch {
    throw Failure.usage(`ctl scale: expected a number of workers, or +1 or -1, got "${text}"`);
  }
  return sign === "" ? { to: count } : { by: sign === "-" ? -count : count };
}

function questionOf({ name, scale }: Command): Question {
  return name === "scale" ? { ask: "scale", ...scale } : { ask: name as "status" | "dump" | "reload" | "stop" };
}

async function ask(path: string, question: Question, platform: Platform): Promise<Reply> {
  let socket;
  try {
    socket = await platform.connectUnix(path);
  } catch (error) {
    const reason = messageOf(error);
    throw new Failure(EXIT.error, `no supervisor answers at ${path}: ${reason}`, { cause: error });
  }
  const channel = new LineChannel<Question>(socket);
  channel.send(question);
  for await (const reply of channel.messages()) return reply as Reply;
  throw new Failure(EXIT.error, `the supervisor at ${path} ended without an answer`);
}

/** Prints one table into a file or a pipe. On a terminal it is redrawn until it is interrupted. */
async function top(path: string, platform: Platform): Promise<number> {
  const { process, clock } = platform;
  for (;;) {
    const reply = await ask(path, { ask: "dump" }, platform);
    if (!reply.ok || !("text" in reply)) throw new Failure(EXIT.error, `the supervisor at ${path} gave no state`);
    process.stdout(process.isTerminal() ? CLEAR_SCREEN + reply.text : reply.text);
    if (!process.isTerminal()) return 0;
    await new Promise<void>((resolve) => clock.after(TOP_EVERY_MS, resolve));
  }
}

const COLUMNS = ["worker", "generation", "pid", "state", "age", "requests", "connections", "rss", "restarts"];

function showStatus(status: Status): string {
  const { state, url, pid, generation, version, runtime, uptimeMs, workers } = status;
  const rows = workers.map((worker) => [
    `${worker.nr}`,
    `${worker.generation}`,
    `${worker.pid}`,
    worker.state,
    seconds(worker.ageMs),
    `${worker.requests}`,
    `${worker.connections}`,
    mebibytes(worker.rssBytes),
    `${worker.restarts}`,
  ]);
  const ready = workers.filter((worker) => worker.state === "ready").length;
  const leaving = workers.filter((worker) => worker.state === "draining").length;
  const where = url === null ? state : `${state} at ${url}`;
  const last = leaving === 0 ? "" : `, ${leaving} leaving`;
  return [
    `${where}: ${ready} of ${workers.length - leaving} workers ready${last}, generation ${generation}`,
    `weft ${version} on ${runtime}, pid ${pid}, up ${seconds(uptimeMs)}`,
    ...showTable(COLUMNS, rows),
    "",
  ].join("\n");
}
