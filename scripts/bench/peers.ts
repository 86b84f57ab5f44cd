// Each peer's name, version and command line, and whether it is there.
// A peer that is missing is left out with a reason; the rest goes on.

import type { AppName } from "./apps/answers.ts";
import { writeNginxConfig } from "./apps/nginx.ts";
import { isInstalled } from "./process.ts";
import type { PeerName, ProgramName, ThreadsName } from "./scenario.ts";

/** A server that can be started. */
export interface Peer {
  name: PeerName;
  version: string;
  /** How many workers Weft's program has, 0 for none; undefined if it is not that program. */
  workers?: number;
  /** How many event loops share the requests, each with a compiler of its own to warm up. @default {1} */
  loops?: number;
  /** What is done to a worker, or to all, once a second under load. */
  disturbance?: "kill" | "reload";
  env?: Record<string, string>;
  /** The command that serves an application on a port of loopback. */
  command(app: AppName, port: number): Promise<string[]> | string[];
}

/** The servers that are there, those that are not, and the version of Hono that they share. */
export interface Found {
  peers: Peer[];
  leftOut: { peer: PeerName; reason: string }[];
  hono: string;
}

/** npm gets this long for Bun's 40 MB. */
const INSTALL_MS = 90_000;

const deno = `Deno ${Deno.version.deno}`;

/**
 * Looks for peers.
 *
 * @param names the servers that are wanted
 * @param dir for nginx's files; the caller removes it
 * @returns those that can be started
 */
export async function findPeers(names: readonly PeerName[], dir: string): Promise<Found> {
  const hono = await readHonoVersion();
  const found: Found = { peers: [], leftOut: [], hono };
  for (const name of names) {
    try {
      found.peers.push(await findPeer(name, dir, hono));
    } catch (error) {
      found.leftOut.push({ peer: name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return found;
}

async function findPeer(name: PeerName, dir: string, hono: string): Promise<Peer> {
  switch (name) {
    case "weft":
      return onDeno(name, `${await readWeftVersion()} on ${deno}`, "weft.ts");
    case "deno":
      return onDeno(name, deno, "deno_serve.ts");
    case "bare":
      return onDeno(name, deno, "bare_loop.ts");
    case "node":
      return onDeno(name, `in ${deno}`, "node_http.ts");
    case "bun":
      return await findBun(hono);
    case "nginx":
      return await findNginx(dir);
    case "serve":
    case "serve2":
    case "serve4":
      return denoServe(name);
    default:
      return weftProgram(name, dir);
  }
}

function onDeno(name: PeerName, version: string, file: string): Peer {
  const program = pathOf(`apps/${file}`);
  const command = (app: AppName, port: number) => [...runDeno(program), app, String(port)];
  return { name, version, command };
}

/** The rows of Weft's program. */
const PROGRAMS: Readonly<Record<ProgramName, Pick<Peer, "workers" | "disturbance">>> = {
  single: { workers: 0 },
  w1: { workers: 1 },
  w2: { workers: 2 },
  w4: { workers: 4 },
  kills: { workers: 2, disturbance: "kill" },
  reloads: { workers: 2, disturbance: "reload" },
};

/** The control socket stands in the benchmark's directory: a user's `weft ctl` shall not find it beside their own. */
function weftProgram(name: ProgramName, dir: string): Peer {
  const { workers = 0, disturbance } = PROGRAMS[name];
  const count = workers === 0 ? "" : ` -w ${workers}`;
  const version = `weft${count}${disturbance === undefined ? "" : `, a ${disturbance} every second`}`;
  const command = (app: AppName, port: number) => {
    const flags = workers === 0 ? [] : ["-w", `${workers}`, "--control", `${dir}/${port}.sock`];
    return [...runDeno(pathOf("../../mod.ts")), ...flags, "-p", `${port}`, pathOf(`apps/module_${app}.ts`)];
  };
  return { name, version, workers, loops: Math.max(1, workers), disturbance, command };
}

const THREADS: Readonly<Record<ThreadsName, number>> = { serve: 1, serve2: 2, serve4: 4 };

/** Deno's own way to several event loops on one port. */
function denoServe(name: ThreadsName): Peer {
  const threads = THREADS[name];
  const parallel = threads === 1 ? [] : ["--parallel"];
  const command = (app: AppName, port: number) => [
    ...[Deno.execPath(), "serve", "--allow-all", "--no-lock", "--quiet", ...parallel],
    ...["--host", "127.0.0.1", "--port", `${port}`, pathOf(`apps/module_${app}.ts`)],
  ];
  const version = threads === 1 ? deno : `deno serve --parallel, ${threads} threads`;
  return { name, version, loops: threads, env: { DENO_JOBS: `${threads}` }, command };
}

/**
 * Makes the command that runs a program of this folder.
 *
 * @param program its path
 * @returns the command, to which arguments can be added; it leaves the tree's lock file alone
 */
export function runDeno(program: string): string[] {
  return [Deno.execPath(), "run", "--allow-all", "--no-lock", "--quiet", program];
}

/**
 * Finds a file of this folder.
 *
 * @param file relative to this folder
 * @returns its path
 */
export function pathOf(file: string): string {
  return decodeURIComponent(new URL(file, import.meta.url).pathname);
}

async function findBun(hono: string): Promise<Peer> {
  const onPath = await isInstalled("bun");
  const packages = [...(onPath ? [] : ["bun"]), `hono@${hono}`];
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const prefix = `${home}/weft-bench`;
  const bun = onPath ? "bun" : `${prefix}/node_modules/.bin/bun`;
  const module = `${prefix}/node_modules/hono/dist/index.js`;
  if (!await exists(module) || !onPath && !await exists(bun)) await install(prefix, packages);
  const version = (await outputOf(bun, ["--version"])).trim();
  const program = pathOf("apps/bun.ts");
  return {
    name: "bun",
    version: `Bun ${version}`,
    env: { BENCH_HONO: module },
    command: (app, port) => [bun, program, app, String(port)],
  };
}

async function install(prefix: string, packages: string[]): Promise<void> {
  if (!await isInstalled("npm")) throw new Error("bun is not installed, and neither is npm to fetch it");
  await Deno.mkdir(prefix, { recursive: true });
  const args = ["install", "--prefix", prefix, "--no-audit", "--no-fund", ...packages];
  await outputOf("npm", args);
}

async function findNginx(dir: string): Promise<Peer> {
  // Debian keeps it in /usr/sbin, which is not on every user's path.
  const nginx = await isInstalled("nginx") ? "nginx" : "/usr/sbin/nginx";
  if (!await isInstalled(nginx)) throw new Error("nginx is not installed");
  const args = ["-c", 'exec "$1" -v 2>&1', "sh", nginx];
  const version = /nginx\/([\d.]+)/.exec(await outputOf("sh", args))?.[1] ?? "unknown";
  return {
    name: "nginx",
    version: `nginx ${version}`,
    command: async (app, port) => [nginx, "-p", dir, "-c", await writeNginxConfig(app, dir, port)],
  };
}

/** Deno's own answer to `npm:hono@^4`, so that Bun gets the same release. */
async function readHonoVersion(): Promise<string> {
  const text = await outputOf(Deno.execPath(), ["info", "--no-lock", "--json", pathOf("apps/weft.ts")]).catch(() =>
    "{}"
  );
  const packages: Record<string, { name: string; version: string }> = JSON.parse(text).npmPackages ?? {};
  return Object.values(packages).find(({ name }) => name === "hono")?.version ?? "4";
}

async function readWeftVersion(): Promise<string> {
  const text = await Deno.readTextFile(pathOf("../../deno.json"));
  return JSON.parse(text).version ?? "unreleased";
}

async function outputOf(program: string, args: string[]): Promise<string> {
  const signal = AbortSignal.timeout(INSTALL_MS);
  const { success, stdout, stderr } = await new Deno.Command(program, { args, signal, stdin: "null" }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args[0]} failed: ${decoder.decode(stderr).trim().slice(-300)}`);
  return decoder.decode(stdout);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
