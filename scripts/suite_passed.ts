// Tells whether the suite has just passed for this very tree, so that `deno task ok` need not run it again.
// Without WEFT_SUITE_PASSED, or after any change of a file, the answer is no.
//
//   deno run -A scripts/suite_passed.ts --print    prints what WEFT_SUITE_PASSED has to be after the suite has passed
//   deno run -A scripts/suite_passed.ts            ends with 0 if WEFT_SUITE_PASSED is that, with 1 if it is not

/** Directories that are not part of the tree. */
const NOT_OURS = new Set([".git", "node_modules"]);

/**
 * Makes a name for the content of a tree. It changes with every file's path and bytes.
 *
 * @param root path of a directory
 * @returns a digest in hexadecimal
 */
export async function nameOf(root: string): Promise<string> {
  const lines: string[] = [];
  for (const path of pathsIn(root, "")) {
    lines.push(`${JSON.stringify(path)} ${await digest(await Deno.readFile(`${root}/${path}`))}`);
  }
  return await digest(new TextEncoder().encode(lines.sort().join("\n")));
}

function* pathsIn(root: string, directory: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${root}/${directory}`)) {
    if (NOT_OURS.has(name)) continue;
    if (isDirectory) yield* pathsIn(root, `${directory}${name}/`);
    else yield directory + name;
  }
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function main(): Promise<void> {
  const name = await nameOf(`${import.meta.dirname}/..`);
  if (Deno.args.includes("--print")) return console.log(name);
  const passed = Deno.env.get("WEFT_SUITE_PASSED");
  if (passed !== undefined && passed !== name) console.log("WEFT_SUITE_PASSED names another tree: the suite runs");
  if (passed !== name) Deno.exit(1);
  console.log("WEFT_SUITE_PASSED: the suite has passed for this tree and is not run again");
}

if (import.meta.main) await main();
