// How a command line and the environment become values.
// What is not understood is refused with the name it has and the one that was perhaps meant.

import { type Flag, FLAGS, variableOf } from "./flags.ts";
import { tokenize } from "./tokens.ts";
import { BadValue, readCount, readPort, readProcesses, readSize, readSwitch, readTime } from "./values.ts";

/** The command line was not understood; exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for. Sizes are bytes, times milliseconds. */
export interface Asked {
  /** Flags by name: from the command line, otherwise from the environment. */
  values: Map<string, string | number | boolean>;
  /** Those that may be given more than once. */
  lists: Map<string, string[]>;
  /** Names of flags that stood on the command line; these go before what an application says. */
  explicit: Set<string>;
  /** The application, if one was named. */
  app?: string;
  /** What followed `--`. */
  appArgs: string[];
}

/**
 * Takes a command line apart.
 *
 * @param args the arguments
 * @param env reads a variable of the environment
 * @returns what was asked for
 * @throws {UsageError} if it is not understood; one line
 */
export function parseFlags(args: readonly string[], env: (name: string) => string | undefined): Asked {
  const asked: Asked = { values: new Map(), lists: new Map(), explicit: new Set(), appArgs: [] };
  readEnvironment(asked, env);
  const positionals: string[] = [];
  const shapes = FLAGS.map(({ name, short, kind }) => ({ name, short, takesValue: kind !== "switch" }));
  const split = args.indexOf("--");
  const own = split < 0 ? [...args] : args.slice(0, split);
  if (split >= 0) asked.appArgs = args.slice(split + 1);
  for (const token of tokenize(own, shapes)) {
    if (token.kind === "positional") positionals.push(token.value);
    else readOption(asked, token.rawName === "-h" ? { ...token, name: "help" } : token);
  }
  if (positionals.length > 1) {
    throw new UsageError(`one application was expected, got ${positionals.join(" and ")}; put its arguments behind --`);
  }
  asked.app = positionals[0];
  return asked;
}

function readEnvironment(asked: Asked, env: (name: string) => string | undefined): void {
  for (const flag of FLAGS) {
    for (const variable of [variableOf(flag.name), ...flag.variables ?? []]) {
      const text = env(variable);
      if (text === undefined || (text === "" && flag.kind !== "switch")) continue;
      const value = readNamed(variable, flag, text);
      // A variable that turns something off which is not there asks for what is.
      if (value !== false) refuseMissing(variable, flag);
      if (flag.repeatable === true) asked.lists.set(flag.name, [text]);
      else if (flag.needs === undefined) asked.values.set(flag.name, value);
      break;
    }
  }
}

function readOption(
  asked: Asked,
  token: { name: string; rawName: string; value?: string },
): void {
  const flag = FLAGS.find(({ name }) => name === token.name);
  if (flag === undefined) throw new UsageError(unknownFlag(token.rawName, token.name));
  if (flag.kind === "switch") {
    if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value, got "${token.value}"`);
    refuseMissing(token.rawName, flag);
    asked.values.set(flag.name, true);
  } else {
    if (token.value === undefined) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${flag.value}`);
    }
    const value = readNamed(token.rawName, flag, token.value);
    refuseMissing(token.rawName, flag);
    if (flag.repeatable === true) addToList(asked, flag.name, token.value);
    else asked.values.set(flag.name, value);
  }
  asked.explicit.add(flag.name);
}

/** What stands on the command line replaces what the environment says. */
function addToList({ lists, explicit }: Asked, name: string, text: string): void {
  lists.set(name, [...explicit.has(name) ? lists.get(name)! : [], text]);
}

function refuseMissing(name: string, flag: Flag): void {
  if (flag.needs !== undefined) throw new UsageError(`${name} needs ${flag.needs}, which this version does not have`);
}

function readNamed(name: string, flag: Flag, text: string): string | number | boolean {
  try {
    return readValue(flag, text);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}

function readValue(flag: Flag, text: string): string | number | boolean {
  switch (flag.kind) {
    case "switch":
      return readSwitch(text);
    case "port":
      return readPort(text);
    case "count":
    case "rate":
      return readCount(text);
    case "size":
      return readSize(text);
    case "processes":
      return text === "auto" ? text : readProcesses(text);
    case "time":
      return readTime(text);
    case "text":
      return text;
    case "path":
      if (text === "") throw new BadValue("expected a path, got an empty one");
      return text;
    case "choice":
      if (flag.choices!.includes(text)) return text;
      throw new BadValue(`expected ${flag.choices!.join(", ")}, got "${text}"`);
  }
}

function unknownFlag(raw: string, name: string): string {
  const known = FLAGS.map((flag) => flag.name);
  const nearest = OTHER_NAMES[name] ?? known.sort((a, b) => distance(name, a) - distance(name, b))[0];
  const isNear = name in OTHER_NAMES || distance(name, nearest) <= Math.max(2, name.length / 3);
  return `unknown flag ${raw}${name.length > 1 && isNear ? `; did you mean --${nearest}?` : ""} (--help shows all)`;
}

/** What other servers call it. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  watch: "restart",
  reload: "restart",
  bind: "host",
  hostname: "host",
  listen: "host",
  socket: "unix",
  uds: "unix",
  timeout: "header-timeout",
};

/** Levenshtein's distance: how many letters have to be changed, added or taken away. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
