// Runs the fast tests: those of every file that starts no process, neither by itself nor by a helper that it imports.
// Types are not checked and the examples in the documentation are not run: `deno task ok` does both.
//
//   deno task fast [options of deno test, such as --filter "Roster"]

/** Code that starts a process. */
const STARTS_PROCESS = /\bDeno\.Command\b|["']node:child_process["']|["']npm:playwright-core/;

/**
 * Tells whether a test may start a process: a worker, a browser, another program of the system.
 *
 * @param file the test
 * @param read gives the text of a file; it is asked for the test and for what the test imports from `tests/`
 * @returns true if the test, or a file that it imports, starts one
 */
export function startsProcess(file: URL, read: (file: URL) => string): boolean {
  const seen = new Set([file.href]);
  for (const href of seen) {
    const code = read(new URL(href)).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    if (STARTS_PROCESS.test(code)) return true;
    for (const [, specifier = ""] of code.matchAll(/^(?:import|export)[^;]*?\bfrom\s*"(\.[^"]+\.ts)"/gm)) {
      const imported = new URL(specifier, href).href;
      if (imported.includes("/tests/")) seen.add(imported);
    }
  }
  return false;
}

function* testsIn(directory: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) yield* testsIn(new URL(`${name}/`, directory));
    else if (name.endsWith("_test.ts")) yield new URL(name, directory);
  }
}

async function main(): Promise<void> {
  const root = new URL("../", import.meta.url);
  const all = [...testsIn(new URL("tests/", root))];
  const fast = all.filter((file) => !startsProcess(file, Deno.readTextFileSync));
  const args = [
    "test",
    "-A",
    "--lock=deno.lock",
    "--parallel",
    "--no-check",
    ...Deno.args,
    ...fast.map(({ href }) => href),
  ];
  const { code } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).spawn().status;
  console.log(`left out: ${all.length - fast.length} of ${all.length} test files, which start processes`);
  Deno.exit(code);
}

if (import.meta.main) await main();
