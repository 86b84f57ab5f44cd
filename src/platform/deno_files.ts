// Watches directories with Deno, tells one content of a file from another, and finds which modules import which.

import { ModulesUnknown, WatchLimit, type WatchResource } from "./errors.ts";
import { fileContents, type FileFacts } from "./file_contents.ts";
import { fromFileUrl, slashed, toFileUrl } from "./file_url.ts";
import type { DirectoryEntry, FileEvent, Sources, Watcher } from "./ports.ts";

/** Source files on Deno. */
export const denoSources: Sources = {
  watch,
  list,
  realPath,
  readLink,
  modulesOf,
  ...fileContents({ facts, digest, readLink, realPath, isNoFile }),
};

const form = { isWindows: Deno.build.os === "windows" };

function watch(directories: readonly string[]): Watcher {
  const watcher = startWatch(directories);
  return {
    close(): void {
      try {
        watcher.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
    async *[Symbol.asyncIterator]() {
      for await (const event of watcher) {
        const fileEvent = fileEventOf(event);
        if (fileEvent !== null) yield fileEvent;
      }
    },
  };
}

function startWatch(directories: readonly string[]): Deno.FsWatcher {
  try {
    return Deno.watchFs([...directories], { recursive: false });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [first = "."] = directories;
    const resource = scarceResource(error, first);
    throw resource === null ? error : new WatchLimit(resource, { cause: error });
  }
}

/** Deno gives these errors neither a class nor a code, only a message with the number of the system's error. */
function scarceResource({ message }: Error, directory: string): WatchResource | null {
  if (/file watch limit reached|\(os error 28\)/.test(message)) return "watches";
  if (!/\(os error 24\)/.test(message)) return null;
  return hasDescriptors(directory) ? "instances" : "descriptors";
}

/** Descriptors that a watch takes: one of inotify, and two to wait for it. */
const WATCH_DESCRIPTORS = 3;

/** EMFILE means that this process has too many open files, or that this user has too many instances of inotify. */
function hasDescriptors(directory: string): boolean {
  const probes: Deno.FsFile[] = [];
  try {
    while (probes.length < WATCH_DESCRIPTORS) probes.push(Deno.openSync(directory));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EMFILE") return false;
    throw error;
  } finally {
    for (const probe of probes) probe.close();
  }
}

/** Null for an event without a change, such as the closing of a file. */
function fileEventOf({ kind, paths, flag }: Deno.FsEvent): FileEvent | null {
  if (flag === "rescan") return { kind: "lost", paths: [] };
  if (kind === "access") return null;
  return { kind: kind === "modify" ? "modified" : "named", paths: paths.map((path) => slashed(path, form)) };
}

function list(directory: string): DirectoryEntry[] | null {
  try {
    return Array.from(
      Deno.readDirSync(directory),
      ({ name, isDirectory, isSymlink }) => ({ name, isDirectory, isLink: isSymlink }),
    );
  } catch (error) {
    if (isNoFile(error) || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}

function realPath(path: string): string | null {
  try {
    return slashed(Deno.realPathSync(path), form);
  } catch (error) {
    if (isNoFile(error)) return null;
    throw error;
  }
}

function readLink(path: string): string | null {
  try {
    // Checked first, because reading a file that is not a link fails without an error class on some systems.
    return Deno.lstatSync(path).isSymlink ? slashed(Deno.readLinkSync(path), form) : null;
  } catch (error) {
    // A path that may not be read is treated as not being a link.
    const { PermissionDenied, NotCapable } = Deno.errors;
    if (isNoFile(error) || error instanceof PermissionDenied || error instanceof NotCapable) return null;
    throw error;
  }
}

function facts(path: string): FileFacts {
  const { isFile, isSymlink, size, mtime, ino } = Deno.lstatSync(path);
  return { isFile, isLink: isSymlink, size, modifiedAt: mtime?.getTime() ?? 0, inode: ino ?? 0 };
}

async function digest(path: string): Promise<string> {
  return new Uint32Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).join(" ");
}

function isNoFile(error: unknown): boolean {
  const { NotFound, NotADirectory, FilesystemLoop } = Deno.errors;
  return error instanceof NotFound || error instanceof NotADirectory || error instanceof FilesystemLoop;
}

/** The part of the output of `deno info --json` that is used here. */
interface ModuleGraph {
  modules: readonly { specifier: string }[];
}

async function modulesOf(path: string, { config }: { config: string | null }): Promise<string[]> {
  // `Deno.execPath` of a compiled program is the program itself.
  if (Deno.build.standalone) throw new ModulesUnknown("a compiled program has no `deno info` to ask");
  // Without packages it needs neither the network nor a lock file, and makes no node_modules. Packages are then errors in
  // the graph, like files that do not exist or cannot be parsed. Such errors do not stop it.
  const args = ["info", "--json", "--no-remote", "--no-npm", "--no-lock"];
  if (config !== null) args.push("--config", config);
  const { success, stdout, stderr } = await runDeno([...args, toFileUrl(path, form)]);
  if (!success) {
    const [reason] = new TextDecoder().decode(stderr).trim().split("\n\nStack backtrace");
    throw new ModulesUnknown(`\`deno info\` failed: ${reason}`);
  }
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
  return modules.map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith("file:") && !specifier.includes("/node_modules/"))
    .map((specifier) => fromFileUrl(specifier, form));
}

async function runDeno(args: string[]): Promise<Deno.CommandOutput> {
  const program = Deno.execPath();
  try {
    return await new Deno.Command(program, { args, stdin: "null", env: { NO_COLOR: "1" } }).output();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const advice = error instanceof Deno.errors.NotCapable ? `; allow it with --allow-run=${program}` : "";
    throw new ModulesUnknown(`cannot run \`deno info\`: ${error.message}${advice}`, { cause: error });
  }
}
