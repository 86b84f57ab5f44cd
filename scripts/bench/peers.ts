// Each peer's title, version and command line, and whether it is installed.
// A peer that is missing is left out with a reason; the rest goes on.

import type { AppName } from "./apps/answers.ts";
import { writeNginxConfig } from "./apps/nginx.ts";
import { makeNodeProject, type NodeProject } from "./node_project.ts";
import { isInstalled, outputOf } from "./process.ts";
import { published } from "./published.ts";

/** How a server is started, and what it is. */
interface Start {
  version: string;
  env?: Record<string, string>;
  /** The command that serves an application on a port of loopback. */
  command(app: AppName, port: number): Promise<string[]> | string[];
}

/** What a row may need to find its server. */
interface Surroundings {
  dir: string;
  hono: string;
  /** Null without `--node`. */
  node: NodeProject | null;
}

/** A row of a table, before it is known whether its server is installed. */
interface PeerKind {
  title: string;
  /** The server of `--peers` that brings this row along. */
  server?: "weft" | "deno";
  /** True for a row of `--node`, false for one without it. @default {false} */
  isOnNode?: boolean;
  /** How many event loops share the requests, each with a compiler of its own to warm up. @default {1} */
  loops?: number;
  /** How many workers Weft's program has, 0 for one process; undefined if it is not that program. */
  workers?: number;
  /** What is done to a worker, or to all, once a second under load. */
  disturbance?: "kill" | "reload";
  find(found: Surroundings): Promise<Start> | Start;
}

const deno = `Deno ${Deno.version.deno}`;

/** Every row there can be, in the order of the tables. */
const KINDS = {
  weft: { title: "Weft", find: async () => onDeno("weft.ts", `${await readWeftVersion()} on ${deno}`) },
  deno: { title: "Deno.serve", find: () => onDeno("deno_serve.ts", deno) },
  bare: { title: "bare loop", find: () => onDeno("bare_loop.ts", deno) },
  node: { title: "node:http", find: () => onDeno("node_http.ts", `in ${deno}`) },
  bun: { title: "Bun.serve", find: findBun },
  nginx: { title: "nginx", find: findNginx },
  single: weftProgram("one process", 0),
  w1: weftProgram("1 worker", 1),
  weftPublished: { title: "JSR package", server: "weft", find: findPublished },
  w1Published: weftProgram("JSR worker", 1, { isPublished: true }),
  w2: weftProgram("2 workers", 2),
  w4: weftProgram("4 workers", 4),
  kills: weftProgram("kills", 2, { disturbance: "kill" }),
  reloads: weftProgram("reloads", 2, { disturbance: "reload" }),
  serve: denoServe("deno serve", 1),
  serve2: denoServe("2 threads", 2),
  serve4: denoServe("4 threads", 4),
  weftNode: {
    ...onNode("Weft", "@weft/engine", ({ weft, pathOf }) => (app, port) => [
      ...[weft, "-p", port, pathOf("module_node"), "--", app],
    ]),
    workers: 0,
  },
  nodeHttp: onNode("node:http", "node", ({ pathOf }) => (app, port) => [pathOf("node_http"), app, port]),
  honoNode: onNode("hono server", "@hono/node-server", ({ pathOf }) => (app, port) => [pathOf("hono_node"), app, port]),
  srvx: onNode("srvx", "srvx", ({ pathOf }) => (app, port) => [pathOf("srvx"), app, port]),
  srvxFast: onNode("srvx, fast", "srvx", ({ pathOf }) => (app, port) => [pathOf("srvx"), app, port, "fast"]),
  bareNet: onNode("bare loop", "node", ({ pathOf }) => (app, port) => [pathOf("bare_net"), app, port]),
} satisfies Record<string, PeerKind>;

/** The name of a row. */
export type PeerName = keyof typeof KINDS;

const PEERS = Object.entries<PeerKind>(KINDS) as [PeerName, PeerKind][];

/** The servers that `--peers` chooses from. */
export const SERVER_NAMES: readonly PeerName[] = serversOn(false);

/** The same, for `--node`. */
export const NODE_SERVER_NAMES: readonly PeerName[] = serversOn(true);

function serversOn(node: boolean): PeerName[] {
  return PEERS.filter(([, { server, isOnNode = false }]) => !server && isOnNode === node).map(([name]) => name);
}

/** What a row is called in tables and charts. */
export function titleOf(name: PeerName): string {
  return KINDS[name].title;
}

/** A server that can be started. */
export interface Peer extends Omit<PeerKind, "find">, Start {
  name: PeerName;
}

/** The servers that are installed, those that are not, and the version of Hono that they share. */
export interface Found {
  peers: Peer[];
  leftOut: { peer: PeerName; reason: string }[];
  hono: string;
}

/**
 * Looks for peers.
 *
 * @param servers of `SERVER_NAMES`; they bring their other rows along
 * @param options a directory for nginx's files, control sockets and Node's project, which the caller removes, and the version of
 * Node if servers run on it
 * @returns those that can be started
 */
export async function findPeers(
  servers: readonly PeerName[],
  { dir, nodeVersion }: { dir: string; nodeVersion: string | null },
): Promise<Found> {
  const hono = await readHonoVersion();
  const found: Found = { peers: [], leftOut: [], hono };
  const node = nodeVersion === null ? null : await makeNodeProject(nodeVersion, { dir, hono });
  for (const [name, { find, ...kind }] of PEERS.filter(([name, { server }]) => servers.includes(server ?? name))) {
    try {
      found.peers.push({ name, ...kind, ...await find({ dir, hono, node }) });
    } catch (error) {
      found.leftOut.push({ peer: name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return found;
}

function onDeno(file: string, version: string): Start {
  return { version, command: (app, port) => [...runDeno(pathOf(`apps/${file}`)), app, `${port}`] };
}

async function findPublished({ dir }: Surroundings): Promise<Start> {
  return {
    version: `${await readWeftVersion()} on ${deno}, as JavaScript`,
    // Built when it is started: most runs do without it.
    command: async (app, port) => [...runDeno((await published(dir)).server), app, `${port}`],
  };
}

/** A server on Node, and the package whose version is told. */
function onNode(
  title: string,
  name: string,
  argumentsOf: (project: NodeProject) => (app: AppName, port: string) => string[],
): PeerKind {
  const find = ({ node }: Surroundings): Start => {
    if (node === null) throw new Error("--node does not say on which version");
    const version = [...name === "node" ? [] : [node.versionOf(name), "on"], "Node", node.versionOf("node")].join(" ");
    const args = argumentsOf(node);
    return { version, command: (app, port) => [node.node, ...args(app, `${port}`)] };
  };
  return { title, isOnNode: true, find };
}

/** The control socket is in the benchmark's directory, so that a user's `weft ctl` does not find it. */
function weftProgram(
  title: string,
  workers: number,
  { disturbance, isPublished = false }: { disturbance?: "kill" | "reload"; isPublished?: boolean } = {},
): PeerKind {
  const version = (workers === 0 ? "weft" : `weft -w ${workers}`) +
    (disturbance ? `, a ${disturbance} every second` : "");
  const find = ({ dir }: Surroundings): Start => {
    const flagsOf = (port: number) => workers === 0 ? [] : ["-w", `${workers}`, "--control", `${dir}/${port}.sock`];
    const mod = async () => isPublished ? (await published(dir)).mod : pathOf("../../mod.ts");
    return {
      version,
      command: async (app, port) => [...runDeno(await mod()), ...flagsOf(port), "-p", `${port}`, moduleOf(app)],
    };
  };
  const kind: PeerKind = { title, server: "weft", workers, loops: Math.max(1, workers), find };
  return disturbance ? { ...kind, disturbance } : kind;
}

/** Deno's own way to several event loops on one port. */
function denoServe(title: string, threads: number): PeerKind {
  const argv = [
    Deno.execPath(),
    "serve",
    "--allow-all",
    "--no-lock",
    "--quiet",
    ...(threads > 1 ? ["--parallel"] : []),
  ];
  const start: Start = {
    version: threads === 1 ? deno : `deno serve --parallel, ${threads} threads`,
    env: { DENO_JOBS: `${threads}` },
    command: (app, port) => [...argv, "--host", "127.0.0.1", "--port", `${port}`, moduleOf(app)],
  };
  return { title, server: "deno", loops: threads, find: () => start };
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

async function findBun({ hono }: Surroundings): Promise<Start> {
  const onPath = await isInstalled("bun");
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const prefix = `${home}/weft-bench`;
  const bun = onPath ? "bun" : `${prefix}/node_modules/.bin/bun`;
  const module = `${prefix}/node_modules/hono/dist/index.js`;
  if (!await isInstalled(module) || !await isInstalled(bun)) {
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

async function findNginx({ dir }: Surroundings): Promise<Start> {
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
