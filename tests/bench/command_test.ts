// The benchmark's command line, as a process: what it refuses, and what it says if wrk is missing.

import assert from "node:assert/strict";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function bench(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const program = new URL("../../scripts/bench/main.ts", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", program, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("The benchmark refuses a flag that it does not understand, and says what it expected", async () => {
  const cases: [args: string[], expected: RegExp][] = [
    [["--only", "99"], /^--only: expected 1, 2, .*, got 99\n/],
    [["--peers", "weft,apache"], /^--peers: expected weft, deno, bare, node, bun, nginx, got apache\n/],
    [["--node", "latest"], /^--node: expected a version such as 20 or 22\.12, got latest\n/],
    [["--node", "20", "--only", "7"], /^--only: expected 1, 2, 3, 4, 5, 6, got 7\n/],
    [["--node", "20", "--peers", "deno"], /^--peers: expected weftNode, nodeHttp, honoNode, .*, got deno\n/],
    [["--rounds", "0"], /^--rounds: expected a whole number from 1 to 600, got 0\n/],
    [["--seconds", "1.5"], /^--seconds: expected a whole number from 1 to 600, got 1.5\n/],
    [["--quicker"], /Unknown option '--quicker'/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await bench(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, expected);
    assert.match(stderr, /^Usage: deno task bench /m);
    assert.equal(stdout, "");
  }
});

Deno.test("The benchmark names the package if wrk is not installed", async () => {
  const empty = await Deno.makeTempDir({ prefix: "weft-test-" });
  try {
    const { code, stdout, stderr } = await bench(["--quick"], { PATH: empty });
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.equal(stderr, "Cannot run the benchmark: it needs Linux and wrk (on Debian: apt-get install wrk)\n");
  } finally {
    await Deno.remove(empty, { recursive: true });
  }
});
