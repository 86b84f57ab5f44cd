// What the program says if its user may not use a port or a file.

import assert from "node:assert/strict";
import { runToEnd } from "../helpers/program.ts";
import { fixture, runtime } from "../helpers/runtime.ts";
import { rightsTest } from "../helpers/rights.ts";

const APP = fixture("app");
const FIRST_FREE_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/** Calls with a directory in which `closed` cannot be read and `fixed` takes no new files. */
async function withDirectory(call: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  try {
    await Deno.mkdir(`${directory}/closed`);
    await Deno.mkdir(`${directory}/fixed`);
    await Deno.chmod(`${directory}/closed`, 0);
    await Deno.chmod(`${directory}/fixed`, 0o555);
    await call(directory);
  } finally {
    await Deno.chmod(`${directory}/closed`, 0o700);
    await Deno.remove(directory, { recursive: true });
  }
}

rightsTest("A port below 1024 needs a privilege, with workers too", async (options) => {
  if (Number(await Deno.readTextFile(FIRST_FREE_PORT)) <= 1) return console.log("skipped, every port is free here");
  for (const args of [[], ["--workers", "1"]]) {
    const ended = await runToEnd(["-p", "1", ...args, APP], options);
    const stderr =
      "weft: cannot listen on 127.0.0.1:1: that is not permitted (EACCES); ports below 1024 need a privilege\n";
    assert.deepEqual(ended, { code: 1, stdout: "", stderr });
  }
});

rightsTest("--unix is refused if its directory takes no new files", async (options) => {
  await withDirectory(async (directory) => {
    const path = `${directory}/fixed/weft.sock`;
    const ended = await runToEnd(["--unix", path, APP], options);
    const stderr =
      `weft: cannot listen on ${path}: this user may not make a file there (EACCES); choose another --unix\n`;
    assert.deepEqual(ended, { code: 1, stdout: "", stderr });
  });
});

rightsTest("An application that cannot be read does not load, with workers neither", async (options) => {
  await withDirectory(async (directory) => {
    const app = `${directory}/app.${runtime.ending}`;
    await Deno.writeTextFile(app, "export default () => new Response();\n", { mode: 0 });
    for (const args of [[], ["--workers", "1"]]) {
      const { code, stdout, stderr } = await runToEnd(["-p", "0", ...args, app], options);
      assert.deepEqual([code, stdout], [4, ""]);
      assert.match(stderr, /^weft: cannot load the application \/.*\/app\.m?[jt]s\n[^]*permission denied/i);
    }
  });
});

rightsTest("--access-log is refused if the file cannot be written", async (options) => {
  await withDirectory(async (directory) => {
    for (const args of [[], ["--workers", "1"]]) {
      const path = `${directory}/fixed/access.log`;
      const { code, stdout, stderr } = await runToEnd(["-p", "0", "--access-log", path, ...args, APP], options);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(
        stderr,
        /^weft: --access-log: cannot write to \/.*\/fixed\/access\.log: (EACCES: )?permission denied.*\n$/i,
      );
    }
  });
});

rightsTest(
  "--restart ends with 4, as a start without it, if the application's directory cannot be read",
  async (options) => {
    await withDirectory(async (directory) => {
      const { code, stdout, stderr } = await runToEnd(
        ["-p", "0", "-r", `${directory}/closed/app.${runtime.ending}`],
        options,
      );
      assert.deepEqual([code, stdout], [4, ""]);
      assert.match(
        stderr,
        /^weft: cannot load the application \S+\ncannot read \/.*\/closed\/app\.m?[jt]s: (EACCES: )?permission denied.*\n$/i,
      );
    });
  },
);

rightsTest("--restart-directory is refused if it cannot be read", async (options) => {
  await withDirectory(async (directory) => {
    const args = ["-p", "0", "-r", "--restart-directory", `${directory}/closed`, APP];
    const { code, stdout, stderr } = await runToEnd(args, options);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      `weft: --restart: cannot watch ${directory}/closed: expected a directory that can be read; ` +
        "give this user the right to read it, or name another\n",
    );
  });
});
