// The help text.

import type { Advice } from "../platform/ports.ts";
import { FLAGS, placeholderOf } from "./flags.ts";

const WIDTH = 104;
const COLUMN = 31;

/**
 * The help.
 *
 * @param program how the user names the program
 * @param advice the words of the runtime
 * @returns a screen and a half of text
 */
export function usage(program: string, advice: Advice): string {
  const start = advice.start(program);
  const rows = FLAGS.filter((flag) => flag.needs === undefined).map((flag) => {
    const { name, short, help } = flag;
    const value = placeholderOf(flag);
    const unset = flag.default ?? flag.ifUnset;
    const left = `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
    return wrapped(left, unset === undefined ? help : `${help} [${unset}]`);
  });
  return [
    "Weft, an HTTP/1.1 application server.",
    "",
    `  ${start} [options] [app] [-- arguments for the app]`,
    `  ${start} ctl [--control PATH] status|top|dump|reload|scale +1|-1|N|stop [--json]`,
    "",
    `app is a module path, ${advice.specifiers} whose export is \`default.fetch\`, a \`default\``,
    `function or a function named \`fetch\`, or that calls ${advice.serve}. Or it is the address of a FastCGI application,`,
    "fcgi:unix:PATH or fcgi:HOST:PORT, or an application in Perl, app.psgi, whose processes plackup runs (its",
    "arguments are for plackup). Without it the built-in demo is served.",
    "",
    ...rows,
    "",
    "Sizes take KiB, MiB, GiB or k, m, g; times are seconds or 200ms, 10s, 5m, 1h. Each flag --x-y has the",
    "variable WEFT_X_Y; a flag overrides the application's own options, and those override the variable.",
    "Signals: TERM, INT or QUIT stop gracefully, a second one at once; USR1 prints the state to stderr; with",
    "workers, HUP reloads, TTIN and TTOU start one more and stop one. Without, and if the terminal is closed,",
    "HUP stops. `ctl` asks a program with workers.",
    "",
  ].join("\n");
}

function wrapped(left: string, help: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of help.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH - COLUMN) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  lines.push(line);
  const [first, ...rest] = lines;
  const head = left.length < COLUMN - 2 ? `  ${left.padEnd(COLUMN - 2)}${first}` : `  ${left}  ${first}`;
  return [head, ...rest.map((text) => " ".repeat(COLUMN) + text)].join("\n");
}
