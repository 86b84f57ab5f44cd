// Runs the tests that start no program on Node, over the sources as the npm package has them:
//
//   deno task test:node [rooms of tests/, such as "wire engine"; by default all that run on Node]
//
// Node is that of the PATH. tests/npm/unit.ts does the same in CI with each version of Node that is supported.

import { MANIFEST } from "./npm/package.ts";
import { stage } from "./npm/stage.ts";
import { stageTests } from "./npm/stage_tests.ts";
import { run } from "./npm/steps.ts";

/** The rooms whose tests run on Node. Those of cli/ start programs: tests/npm and tests/cli start them on Node. */
export const ROOMS: readonly string[] = [
  "wire",
  "message",
  "inspect",
  "connection",
  "engine",
  "fastcgi",
  "prefork",
  "progress",
  "restart",
  "uploads",
  "websocket",
  "platform",
];

/** Tests that run on Deno only. */
const LEFT_OUT: readonly string[] = [
  "engine/heart_test.ts", // It measures time, and needs a machine with nothing else to do.
];

/** How the tests of a room ended. */
export interface RoomResult {
  readonly room: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each reason for which tests were skipped, and how many were. */
  readonly reasons: ReadonlyMap<string, number>;
  /** True if all passed and the process has ended by itself. */
  readonly isGood: boolean;
  /** What the failed tests, or else all of them, have printed. */
  readonly output: string;
}

/**
 * Stages sources and tests, and installs the packages that they need.
 *
 * @param directory an empty one; its URL ends with a slash
 */
export async function stageForNode(directory: URL): Promise<void> {
  await stage(directory);
  const packages = await stageTests(directory);
  const dependencies = { ...MANIFEST.dependencies, ...MANIFEST.peerDependencies, ...packages };
  const manifest = { private: true, type: "module", dependencies };
  await Deno.writeTextFile(new URL("package.json", directory), JSON.stringify(manifest));
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], directory);
}

/** Most milliseconds that the tests of a room take together. Above it a test, or what it has opened, hangs. */
const ROOM_LIMIT_MS = 180_000;

/**
 * Runs the tests of a room.
 *
 * @param staged as {@linkcode stageForNode} has made it
 * @param node path of Node
 * @param room a directory of `tests/`
 * @returns how they ended
 */
export async function runRoom(staged: URL, node: string, room: string): Promise<RoomResult> {
  const files = Array.from(Deno.readDirSync(new URL(`tests/${room}/`, staged)), ({ name }) => `${room}/${name}`)
    .filter((name) => name.endsWith("_test.js") && !LEFT_OUT.includes(name.replace(/js$/, "ts"))).sort();
  const { code, stdout, stderr } = await new Deno.Command(node, {
    args: ["--test-reporter=tap", "tests/on_node/main.js", ...files],
    cwd: staged,
    stdin: "null",
    signal: AbortSignal.timeout(ROOM_LIMIT_MS),
  }).output();
  const text = new TextDecoder().decode(stdout);
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  const reasons = new Map<string, number>();
  for (const [, reason = ""] of text.matchAll(/ # SKIP (.*)$/gm)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const failures = [...text.matchAll(/^ *not ok [^]*?^ *\.\.\.$/gm)].map(([failure]) => failure);
  const failed = count("fail") + count("cancelled");
  const passed = count("pass");
  return {
    room,
    passed,
    failed,
    skipped: count("skipped"),
    reasons,
    isGood: code === 0 && failed === 0 && passed > 0,
    output: (failures.length > 0 ? failures.join("\n") : text.slice(-5_000)) + new TextDecoder().decode(stderr),
  };
}

async function main(): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "weft-test-node-" });
  const failures: string[] = [];
  try {
    const staged = new URL(`file://${directory}/`);
    await stageForNode(staged);
    for (const room of Deno.args.length > 0 ? Deno.args : ROOMS) {
      const { passed, failed, skipped, reasons, isGood, output } = await runRoom(staged, "node", room);
      console.log(`${room}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
      for (const [reason, number] of reasons) console.log(`  ${number} skipped: ${reason}`);
      if (isGood) continue;
      failures.push(room);
      console.log(output);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  Deno.exit(failures.length === 0 ? 0 : 1);
}

if (import.meta.main) await main();
