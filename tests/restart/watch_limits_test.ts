// What a watch of files is told if this process has no descriptor left. tests/cli/watch_limits_test.ts has the limits of Linux.

import assert from "node:assert/strict";
import { linuxTest } from "../helpers/program.ts";

linuxTest("If this process may not open more files, no sysctl is blamed", async () => {
  const module = new URL("../../src/platform/deno_files.ts", import.meta.url).href;
  const script = `
    const { denoSources } = await import("${module}");
    denoSources.list("/");
    const files = [];
    try {
      for (;;) files.push(Deno.openSync("/"));
    } catch {
      files.pop().close();
    }
    try {
      denoSources.watch(["/"]);
    } catch (error) {
      console.log(error.name, error.resource);
    }
    Deno.exit();`;
  const args = ["-c", 'ulimit -n 256; exec "$0" eval "$1"', Deno.execPath(), script];
  const { stdout, stderr } = await new Deno.Command("sh", { args }).output();
  assert.equal(new TextDecoder().decode(stdout), "WatchLimit descriptors\n", new TextDecoder().decode(stderr));
});
