// Each peer's title, version and command line, and whether it is installed.
// A peer that is missing is left out with a reason; the rest goes on.

import type { AppName } from "./apps/answers.ts";
import { writeNginxConfig } from "./apps/nginx.ts";
import { exists, isInstalled, outputOf } from "./process.ts";

/** What a row of a table measures. */
interface PeerKind {
  title: string;
  /** The server of `--peers` that brings this row along; it is of the same make. */
  server?: "weft" | "deno";
  /** The row is Weft's program with so many workers, 0 for one process. */
  workers?: number;
  /** What is done to a worker, or to all, once a second under load. */
  disturbance?: "kill" | "reload";
  /** The row is `deno serve` with so many threads that share a port. */
  threads?: number;
}

/** Every row there can be, in the order of the tables. */
const KINDS = {
  weft: { title: "Weft" },
  deno: { title: "Deno.serve" },
  bare: { title: "bare loop" },
  node: { title: "node:http" },
  bun: { title: "Bun.serve" },
  nginx: { title: "nginx" },
  single: { title: "one process", server: "weft", workers: 0 },
  w1: { title: "1 worker", server: "weft", workers: 1 },
  w2: { title: "2 workers", server: "weft", workers: 2 },
  w4: { title: "4 workers", server: "weft", workers: 4 },
  kills: { title: "kills", server: "weft", workers: 2, disturbance: "kill" },
  reloads: { title: "reloads", server: "weft", workers: 2, disturbance: "reload" },
  serve: { title: "deno serve", server: "deno", threads: 1 },
  serve2: { title: "2 threads", server: "deno", threads: 2 },
  serve4: { title: "4 threads", server: "deno", threads: 4 },
} as const satisfies Record<string, PeerKind>;

/** The name of a row. */
export type PeerName = keyof typeof KINDS;

const PEER_KINDS: Readonly<Record<PeerName, PeerKind>> = KINDS;
const PEER_NAMES = Object.keys(KINDS) as PeerName[];

/** The servers that `--peers` chooses from. */
export const SERVER_NAMES: readonly PeerName[] = PEER_NAMES.filter((name) => PEER_KINDS[name].server === undefined);

/** What a row is called in tables and charts. */
export function titleOf(name: PeerName): string {
  return KINDS[name].title;
}

/** A server that can be started. */
export interface Peer extends PeerKind {
  name: PeerName;
  version: string;
  env?: Record<string, string>;
  /** The command that serves an application on a port of loopback. */
  command(app: AppName, port: number): Promise<string[]> | string[];
}

/** The servers that are installed, those that are not, and the version of Hono that they share. */
export interface Found {
  peers: Peer[];
  leftOut: { peer: PeerName; reason: string }[];
  hono: string;
}

const deno = `Deno ${Deno.version.deno}`;

/**
 * Looks for peers.
 *
 * @param servers of `SERVER_NAMES`; they bring their other rows along
 * @param dir for nginx's files and control sockets; the caller removes it
 * @returns those that can be started
 */
export async function findPeers(servers: readonly PeerName[], dir: string): Promise<Found> {
  const found: Found = { peers: [], leftOut: [], hono: await readHonoVersion() };
  for (const name of PEER_NAMES) {
    const kind = PEER_KINDS[name];
    if (!servers.includes(kind.server ?? name)) continue;
    try {
      found.peers.push({ name, ...kind, ...await findPeer(name, dir, found.hono) });
    } catch (error) {
      found.leftOut.push({ peer: name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return found;
}

type Start = Pick<Peer, "version" | "env" | "command">;

async function findPeer(name: PeerName, dir: string, hono: string): Promise<Start> {
  const { workers, threads } = PEER_KINDS[name];
  if (workers !== undefined) return weftProgram(PEER_KINDS[name], dir);
  if (threads !== undefined) return denoServe(threads);
  switch (name) {
    case "weft":
      return onDeno(`${await readWeftVersion()} on ${deno}`, "weft.ts");
    case "bare":
      return onDeno(deno, "bare_loop.ts");
    case "node":
      return onDeno(`in ${deno}`, "node_http.ts");
    case "bun":
      return await findBun(hono);
    case "nginx":
      return await findNginx(dir);
    default:
      return onDeno(deno, "deno_serve.ts");
  }
}

function onDeno(version: string, file: string): Start {
  return { version, command: (app, port) => [...runDeno(pathOf(`apps/${file}`)), app, `${port}`] };
}

/** The control socket is in the benchmark's directory, so that a user's `weft ctl` does not find it. */
function weftProgram({ workers = 0, disturbance }: PeerKind, dir: string): Start {
  const count = workers === 0 ? "" : ` -w ${workers}`;
  const version = `weft${count}${disturbance === undefined ? "" : `, a ${disturbance} every second`}`;
  const flagsOf = (port: number) => workers === 0 ? [] : ["-w", `${workers}`, "--control", `${dir}/${port}.sock`];
  const program = runDeno(pathOf("../../mod.ts"));
  return { version, command: (app, port) => [...program, ...flagsOf(port), "-p", `${port}`, moduleOf(app)] };
}

/** Deno's own way to several event loops on one port. */
function denoServe(threads: number): Start {
  const argv = [Deno.execPath(), "serve", "--allow-all", "--no-lock", "--quiet"];
  if (threads > 1) argv.push("--parallel");
  return {
    version: threads === 1 ? deno : `deno serve --parallel, ${threads} threads`,
    env: { DENO_JOBS: `${threads}` },
    command: (app, port) => [...argv, "--host", "127.0.0.1", "--port", `${port}`, moduleOf(app)],
  };
}

function moduleOf(app: AppName): string {
  return pathOf(`apps/module_${app}.ts`);
}

/** Makes the command that runs a program on this Deno; arguments can be added; it does not touch the lock file. */
export function runDeno(program: string): string[] {
  return [Deno.execPath(), "run", "--allow-all", "--no-lock", "--quiet", program];
}

/** Makes a path of the name of a file that is relative to this folder. */
export function pathOf(file: string): string {
  return decodeURIComponent(new URL(file, import.meta.url).pathname);
}

async function findBun(hono: string): Promise<Start> {
  const onPath = await isInstalled("bun");
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const prefix = `${home}/weft-bench`;
  const bun = onPath ? "bun" : `${prefix}/node_modules/.bin/bun`;
  const module = `${prefix}/node_modules/hono/dist/index.js`;
  if (!await exists(module) || !await isInstalled(bun)) {
    if (!await isInstalled("npm")) throw new Error("bun is not installed, and neither is npm to fetch it");
    await Deno.mkdir(prefix, { recursive: true });
    const packages = [...(onPath ? [] : ["bun"]), `hono@${hono}`];
    await outputOf("npm", ["install", "--prefix", prefix, "--no-audit", "--no-fund", ...packages]);
  }
  return {
    version: `Bun ${await outputOf(bun, ["--version"])}`,
    env: { BENCH_HONO: module },
    command: (app, port) => [bun, pathOf("apps/bun.ts"), app, `${port}`],
  };
}

async function findNginx(dir: string): Promise<Start> {
  // Debian keeps it in /usr/sbin, which is not on every user's path.
  const nginx = await isInstalled("nginx") ? "nginx" : "/usr/sbin/nginx";
  if (!await isInstalled(nginx)) throw new Error("nginx is not installed");
  return {
    version: `nginx ${/nginx\/([\d.]+)/.exec(await outputOf(nginx, ["-v"]))?.[1] ?? "of unknown version"}`,
    command: async (app, port) => [nginx, "-p", dir, "-c", await writeNginxConfig(app, dir, port)],
  };
}

/** Deno's own answer to `npm:hono@^4`, so that Bun gets the same release. */
async function readHonoVersion(): Promise<string> {
  const info = await outputOf(Deno.execPath(), ["info", "--no-lock", "--json", pathOf("apps/weft.ts")]);
  const packages: Record<string, { name: string; version: string }> = JSON.parse(info).npmPackages ?? {};
  return Object.values(packages).find(({ name }) => name === "hono")?.version ?? "4";
}

async function readWeftVersion(): Promise<string> {
  return JSON.parse(await Deno.readTextFile(pathOf("../../deno.json"))).version;
}
