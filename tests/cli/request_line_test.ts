// The limit of a request line, as a user sets it: by flag, application or variable.

import assert from "node:assert/strict";
import { firstItems } from "../helpers/items.ts";
import { runToEnd, start, type StartOptions } from "../helpers/program.ts";
import { fixture, runtime } from "../helpers/runtime.ts";
import { RawClient } from "../helpers/raw_client.ts";

const APP = fixture("app");

/** The status that a request line of so many bytes gets. */
async function statusOf(args: string[], options: StartOptions, bytes: number): Promise<number> {
  await using program = start(["-p", "0", ...args], options);
  const { hostname, port } = new URL(await program.url());
  using client = await RawClient.connect({ transport: "tcp", hostname, port: Number(port) });
  await client.send(`GET /${"x".repeat(bytes - "GET / HTTP/1.1".length)} HTTP/1.1\r\nhost: test\r\n\r\n`);
  const [response] = firstItems(await client.responses(1), 1);
  return response.status;
}

Deno.test("--max-request-line lets longer request lines pass, and its variable too, which a flag overrides", async () => {
  const env = { WEFT_MAX_REQUEST_LINE: "16k" };
  const isRefused = async (args: string[], options: StartOptions, bytes: number) =>
    await statusOf([...args, APP], options, bytes) === 414;
  assert.equal(await isRefused([], {}, 8193), true);
  assert.equal(await isRefused(["--max-request-line", "64KiB"], {}, 65_536), false);
  assert.equal(await isRefused([], { env }, 16_384), false);
  assert.equal(await isRefused([], { env }, 16_385), true);
  assert.equal(await isRefused(["--max-request-line", "1k"], { env }, 1025), true);
});

Deno.test("A limit that does not fit is named by what set it: the flag, the variable or the application", async () => {
  const cases: [args: string[], env: Record<string, string>, stderr: string][] = [
    [["--max-request-line", "65KiB"], {}, "--max-request-line: expected 1 to 65536 bytes, got 66560"],
    [["--max-request-line", "0"], {}, "--max-request-line: expected 1 to 65536 bytes, got 0"],
    [[], { WEFT_MAX_REQUEST_LINE: "1m" }, "WEFT_MAX_REQUEST_LINE: expected 1 to 65536 bytes, got 1048576"],
    [
      ["--max-request-line", "16k", "--max-header-size", "16k"],
      {},
      "--max-header-size: expected more than a request line may have (16384 bytes), got 16384",
    ],
    [["--max-header-size", "0"], {}, "--max-header-size: expected 1 or more, got 0"],
    [["--health", "up"], {}, '--health: expected a path that starts with "/", got "up"'],
    [["--max-connections", "0"], {}, "--max-connections: expected 1 or more, got 0"],
  ];
  for (const [args, env, stderr] of cases) {
    assert.deepEqual(await runToEnd([...args, APP], { env }), { code: 2, stdout: "", stderr: `weft: ${stderr}\n` });
  }
  const directory = await Deno.makeTempDir();
  try {
    const own = `${directory}/app.${runtime.ending}`;
    await Deno.writeTextFile(own, "export default { maxRequestLineBytes: 1e6, fetch: () => new Response() };\n");
    const { code, stderr } = await runToEnd([own], { env: { WEFT_MAX_REQUEST_LINE: "1k" } });
    const expected = "weft: the application's options: maxRequestLineBytes: expected 1 to 65536 bytes, got 1000000\n";
    assert.deepEqual({ code, stderr }, { code: 2, stderr: expected });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
