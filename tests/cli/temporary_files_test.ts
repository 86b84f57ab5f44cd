// What is left of a program's temporary files when it ends in the middle of a request.

import assert from "node:assert/strict";
import { hasProgram, start, unixTest } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";

/** Longer than what stays in memory. */
const BODY = new Uint8Array(1_000_000).fill(120);

function names(directory: string): string[] {
  return Array.from(Deno.readDirSync(directory), ({ name }) => name);
}

unixTest("A killed program leaves no file of the bodies that it has spooled", async () => {
  if (!await hasProgram("curl")) return;
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const app = `${directory}.${runtime.ending}`;
  Deno.writeTextFileSync(
    app,
    `export default () => { console.log("reached"); return new Promise(() => {}); };`,
  );
  try {
    await using program = start(["-p", "0", "--body", "whole", app], { env: { TMPDIR: directory } });
    const url = await program.url();
    const args = ["-s", "--data-binary", "@-", url];
    const curl = new Deno.Command("curl", { args, stdin: "piped", stdout: "null" }).spawn();
    const writer = curl.stdin.getWriter();
    await writer.write(BODY);
    await writer.close();
    await program.waitFor(/reached/);
    const held = await new Deno.Command("ls", { args: ["-l", `/proc/${program.pid}/fd`] }).output();
    if (Deno.build.os === "linux") {
      assert.ok(new TextDecoder().decode(held.stdout).includes(`${directory}/weft-`), "TMPDIR names the directory");
    }
    program.kill("SIGKILL");
    await program.ended;
    await curl.status;
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  } finally {
    Deno.removeSync(app);
    Deno.removeSync(directory);
  }
});

unixTest(
  "A program that ends in the middle of an upload leaves nothing; one that is killed leaves only its directory",
  async () => {
    const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
    const app = `${directory}.${runtime.ending}`;
    Deno.writeTextFileSync(
      app,
      `import { receiveUploads } from "${runtime.packageName}";
     export default async (request) => {
       await receiveUploads(request);
       console.log("received");
       return await new Promise(() => {});
     };`,
    );
    try {
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        await using program = start(["-p", "0", "--graceful-timeout", "0", app], { env: { TMPDIR: directory } });
        const form = new FormData();
        form.append("f", new Blob(["x".repeat(100_000)]));
        const asked = fetch(await program.url(), { method: "POST", body: form }).then(() => {}, () => {});
        await program.waitFor(/received/);
        assert.match(names(directory).join(), /^weft-\w+$/);
        program.kill(signal);
        await program.ended;
        await asked;
        if (signal === "SIGTERM") assert.deepEqual(names(directory), []);
        else assert.match(names(directory).join(), /^weft-\w+$/);
      }
    } finally {
      Deno.removeSync(app);
      Deno.removeSync(directory, { recursive: true });
    }
  },
);
