// How a command line and the environment become values.
// What is not understood is refused with the name it has and the one that was perhaps meant.

import { Failure } from "../platform/failure.ts";
import { type CliOptions, type FlagName, optionName } from "./cli_options.ts";
import { type Flag, FLAGS, placeholderOf, variableOf } from "./flags.ts";
import { nearestOf } from "./nearest.ts";
import { tokenize } from "./tokens.ts";
import { BadValue, oneOf, READERS } from "./values.ts";

/** What was asked for. */
export interface Asked {
  /** From the command line, otherwise from the environment, otherwise the default. */
  options: CliOptions;
  /** Flags that stood on the command line. They override what an application says. */
  explicit: ReadonlySet<FlagName>;
  /** Flags that the command line or the environment has set. */
  given: ReadonlySet<FlagName>;
  /** The application, if one was named. */
  app?: string | undefined;
  /** What followed `--`. */
  appArgs: string[];
}

/** What was read so far. */
interface Reading {
  /** Values by the names of {@linkcode CliOptions}; complete from the start, with the defaults. */
  values: Record<string, unknown>;
  explicit: Set<string>;
  given: Set<string>;
}

/**
 * Takes a command line apart.
 *
 * @param args the arguments
 * @param env reads a variable of the environment
 * @returns what was asked for
 * @throws {Failure} if it is not understood; one line
 */
export function parseFlags(args: readonly string[], env: (name: string) => string | undefined): Asked {
  const reading: Reading = { values: defaults(), explicit: new Set(), given: new Set() };
  readEnvironment(reading, env);
  const positionals: string[] = [];
  const shapes = FLAGS.map(({ name, short, kind }) => ({ name, short, takesValue: kind !== "switch" }));
  const split = args.indexOf("--");
  const own = split < 0 ? [...args] : args.slice(0, split);
  let isAfterHelp = false;
  for (const token of tokenize(own, shapes)) {
    if (token.kind === "option") readOption(reading, token.rawName === "-h" ? { ...token, name: "help" } : token);
    else if (isAfterHelp && ADDRESS.test(token.value)) {
      throw Failure.usage(`-h is --help; the address is --host ${token.value}`);
    } else positionals.push(token.value);
    isAfterHelp = token.kind === "option" && token.rawName === "-h";
  }
  if (positionals.length > 1) {
    throw Failure.usage(`one application was expected, got ${positionals.join(" and ")}; put its arguments after --`);
  }
  // The names come from the table of flags and the values from the readers of their kinds, as the types do.
  const asked = { options: reading.values, explicit: reading.explicit, given: reading.given } as unknown as Asked;
  return { ...asked, app: positionals[0], appArgs: split < 0 ? [] : args.slice(split + 1) };
}

/** What Catalyst's own server takes after `-h`. */
const ADDRESS = /^(localhost|[\d.]+\.\d+|\[?[\da-f:]*:[\da-f:.]*\]?)$/i;

function defaults(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const flag of FLAGS) {
    if (flag.kind === "switch") values[optionName(flag.name)] = false;
    else if (flag.default !== undefined) values[optionName(flag.name)] = readValue(flag, flag.default);
  }
  return values;
}

function readEnvironment(reading: Reading, env: (name: string) => string | undefined): void {
  for (const flag of FLAGS) {
    for (const variable of [variableOf(flag.name), ...flag.variables ?? []]) {
      const text = env(variable);
      if (text === undefined || (text === "" && flag.kind !== "switch")) continue;
      const value = readNamed(variable, flag, text);
      // A variable that turns something off which is not there asks for what is.
      if (value !== false) refuseMissing(variable, flag);
      if (flag.needs === undefined) note(reading, flag, flag.repeatable === true ? [value] : value);
      break;
    }
  }
}

function readOption(reading: Reading, token: { name: string; rawName: string; value?: string | undefined }): void {
  const flag = FLAGS.find(({ name }) => name === token.name);
  if (flag === undefined) throw Failure.usage(unknownFlag(token.rawName, token.name));
  if (flag.kind === "switch") {
    if (token.value !== undefined) throw Failure.usage(`${token.rawName} takes no value, got "${token.value}"`);
    refuseMissing(token.rawName, flag);
    note(reading, flag, true);
  } else {
    if (token.value === undefined) {
      throw Failure.usage(`${token.rawName} needs a value: ${token.rawName} ${placeholderOf(flag)}`);
    }
    const value = readNamed(token.rawName, flag, token.value);
    refuseMissing(token.rawName, flag);
    note(reading, flag, flag.repeatable === true ? [...listSoFar(reading, flag), value] : value);
  }
  reading.explicit.add(flag.name);
}

function note({ values, given }: Reading, { name }: Flag, value: unknown): void {
  values[optionName(name)] = value;
  given.add(name);
}

/** The command line replaces a list of the environment and adds to its own. */
function listSoFar({ values, explicit }: Reading, { name }: Flag): readonly unknown[] {
  return explicit.has(name) ? values[optionName(name)] as readonly unknown[] : [];
}

function refuseMissing(name: string, flag: Flag): void {
  if (flag.needs !== undefined) throw Failure.usage(`${name} needs ${flag.needs}, which this version does not have`);
}

function readNamed(name: string, flag: Flag, text: string): unknown {
  try {
    return readValue(flag, text);
  } catch (error) {
    if (error instanceof BadValue) throw Failure.usage(`${name}: ${error.message}`);
    throw error;
  }
}

function readValue({ kind, choices = [] }: Flag, text: string): unknown {
  if (kind !== "choice") return READERS[kind](text);
  if (choices.includes(text)) return text;
  throw new BadValue(`expected ${oneOf(choices)}, got "${text}"`);
}

function unknownFlag(raw: string, name: string): string {
  const known = FLAGS.map((flag) => flag.name);
  const nearest = OTHER_NAMES.get(name) ?? nearestOf(name, known, Math.max(2, name.length / 3));
  return `unknown flag ${raw}${
    name.length > 1 && nearest !== null ? `; did you mean --${nearest}?` : ""
  } (--help shows all)`;
}

/** What other servers call it. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["watch", "restart"],
  ["reload", "restart"],
  ["bind", "host"],
  ["hostname", "host"],
  ["listen", "host"],
  ["socket", "unix"],
  ["uds", "unix"],
  ["timeout", "header-timeout"],
]);
