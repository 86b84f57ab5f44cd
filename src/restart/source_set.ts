// Finds where an application's files are: from its modules, or the directories that the user has named.
// If they cannot be watched, it explains to the user why, and what to do about it.

import { configAbove, configurationFiles } from "../app/own_configuration.ts";
import { absolutePath, localPath } from "../platform/specifier.ts";
import { ModulesUnknown, WatchLimit, type WatchResource } from "../platform/errors.ts";
import { messageOf } from "../platform/log.ts";
import type { Files, Log, Sources } from "../platform/ports.ts";
import { countedOf, type Scope, scopeOf, treesOf } from "./scope.ts";

/** Whose files are meant. */
export interface SourceSetOptions {
  /** The application as it was asked for: a path, relative ones from the process's directory, or a URL; null for none. */
  app: string | null;
  /**
   * Directories that count with all below them, but for `node_modules` and names with a dot in front.
   *
   * @default {[]} those in which the application's own modules stand, without what is below
   */
  directories?: readonly string[] | undefined;
  /**
   * Finds the configuration file that the application is loaded with; null for none.
   *
   * @default the nearest deno.json or deno.jsonc beside or above the application
   */
  config?: ((app: string) => string | null) | undefined;
}

/** What finding them needs of its surroundings. */
export interface SourceSetContext {
  /** The directory that relative paths start from. */
  cwd: string;
  files: Pick<Files, "kindOf" | "readText">;
  sources: Sources;
  log: Log;
}

/** The files that count. */
export interface SourceSet {
  /** True if directories that are made below the others belong to it. */
  readonly isTree: boolean;
  /** Finds out anew which modules the application has. */
  refresh(): Promise<void>;
  /** Looks which directories there are now. */
  scope(): Scope;
}

/**
 * Finds out what belongs to an application.
 *
 * @param options what was asked for
 * @param context the surroundings
 * @returns the directories that were named, or else those of the application's own modules
 * @throws {CannotWatch} if there is nothing to watch
 */
export async function findSourceSet(options: SourceSetOptions, context: SourceSetContext): Promise<SourceSet> {
  const { app, directories = [] } = options;
  if (directories.length > 0) return treeSourceSet(directories, context);
  const path = app === null ? null : localPath(app, context.cwd);
  if (path === null) {
    throw new CannotWatch(
      `there is nothing to watch: expected an application in a file, got ${app ?? "none"}; ` +
        "name a directory with --restart-directory",
    );
  }
  const { files } = context;
  const config = options.config ?? ((app) => configAbove(app, files));
  const sourceSet = new ModuleSourceSet(absolute(path, context), { ...context, config });
  await sourceSet.refresh();
  return sourceSet;
}

function treeSourceSet(directories: readonly string[], { files, sources }: SourceSetContext): SourceSet {
  const roots = directories.map((directory) => {
    const kind = asked(directory, () => files.kindOf(directory));
    if (kind === "directory") {
      if (asked(directory, () => sources.list(directory)) === null) {
        throw new CannotWatch(
          `cannot watch ${directory}: expected a directory that can be read; ` +
            "give this user the right to read it, or name another",
        );
      }
      // With its links: they may come to point elsewhere.
      return fromHere(directory, sources);
    }
    throw new CannotWatch(
      `cannot watch ${directory}: expected a directory, ` +
        (kind === null
          ? "there is nothing of that name; make it or name another"
          : "it is none; name the one it is in"),
    );
  });
  return { isTree: true, refresh: () => Promise.resolve(), scope: () => scopeOf(treesOf(roots, sources), sources) };
}

class ModuleSourceSet implements SourceSet {
  readonly isTree = false;
  readonly #app: string;
  readonly #context: SourceSetContext & { config: (app: string) => string | null };
  #modules: readonly string[];
  #configuration: readonly string[] = [];
  /** Why the modules cannot be told, as it was said last. */
  #complaint = "";

  constructor(app: string, context: SourceSetContext & { config: (app: string) => string | null }) {
    this.#app = app;
    this.#context = context;
    this.#modules = [app];
  }

  async refresh(): Promise<void> {
    const { files, sources, log } = this.#context;
    const config = this.#context.config(this.#app);
    this.#configuration = configurationFiles(this.#app, { config, files });
    try {
      this.#modules = [this.#app, ...await sources.modulesOf(this.#app, { config })];
      this.#complaint = "";
    } catch (error) {
      if (!(error instanceof ModulesUnknown)) throw error;
      // What was watched stays watched: the next save may be the one that makes them known.
      const where = [...countedOf(this.#modules, sources).directories].join(", ");
      const complaint = `cannot tell which modules belong to ${this.#app}, so only files in ${where} are watched ` +
        `(name others with --restart-directory): ${error.message}`;
      if (complaint !== this.#complaint) log("WARN", complaint);
      this.#complaint = complaint;
    }
  }

  scope(): Scope {
    const { sources } = this.#context;
    const { directories, files } = countedOf(this.#modules, sources);
    for (const path of this.#configuration) files.add(path);
    return scopeOf({ directories, files }, sources);
  }
}

/** The path as it is loaded, with its links: its imports start from where it stands. */
function absolute(path: string, { files, sources }: SourceSetContext): string {
  const kind = asked(path, () => files.kindOf(path));
  if (kind === "file") return asked(path, () => fromHere(path, sources));
  throw new CannotWatch(
    `cannot watch ${path}: expected the file of an application, ` +
      (kind === null ? "there is none of that name" : `it is a ${kind}; name a module in it`),
  );
}

/** An absolute path; relative ones start from the process's directory. */
function fromHere(path: string, sources: Sources): string {
  return absolutePath(path, sources.realPath(".") ?? "/").replace(/(?<=.)\/+$/, "");
}

/** What the permissions hide cannot be watched either. */
function asked<T>(path: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw new CannotWatch(`cannot watch ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Files cannot be watched; the message says what was expected, what came, and what to do. */
export class CannotWatch extends Error {
  override readonly name = "CannotWatch";
}

/** What to do about an error of the system, by the error's name. */
const ADVICE: Readonly<Record<string, string>> = {
  NotCapable: "; allow reading it with --allow-read",
  PermissionDenied: "; give this user the right to read it, or name other directories with --restart-directory",
};

/** What to do about a limit that is reached. Linux counts the first two for each user, over all of the user's programs. */
const LIMIT_ADVICE: Readonly<Record<WatchResource, string>> = {
  watches: "; this user's watches are used up: raise fs.inotify.max_user_watches with sysctl, name fewer " +
    "--restart-directory, or use --restart-poll 1",
  instances:
    "; this user's inotify instances are used up: raise fs.inotify.max_user_instances with sysctl, end other programs " +
    "that watch files, or use --restart-poll 1",
  descriptors: "; this process may not open more files: raise the limit with `ulimit -n`",
};

/**
 * Makes the error for a watch that the system refuses.
 *
 * @param directories that were to be watched
 * @param error what the system said
 * @returns the error to throw
 */
export function refusedBySystem(directories: readonly string[], error: unknown): CannotWatch {
  const which = directories.length === 1
    ? directories[0]
    : `${directories.length} directories (${directories[0]}, ...)`;
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const advice = error instanceof WatchLimit ? LIMIT_ADVICE[error.resource] : ADVICE[name] ?? "";
  return new CannotWatch(`cannot watch ${which}: ${message}${advice}`, { cause: error });
}
