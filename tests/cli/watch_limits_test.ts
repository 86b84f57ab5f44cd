// Tests what --restart advises if Linux refuses to watch files. Each limit is set for a user namespace of its own, so that
// no other program of this machine notices.

import assert from "node:assert/strict";
import { linuxTest, runToEnd } from "../helpers/program.ts";
import { WORKERS_APP } from "../helpers/supervised.ts";

async function canLimit(): Promise<boolean> {
  const line = "echo 0 > /proc/sys/user/max_inotify_watches";
  const args = ["-Ur", "sh", "-c", line];
  const { success } = await new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).output()
    .catch(() => ({ success: false }));
  if (!success) console.log("skipped, this process may not make a user namespace with limits of its own");
  return success;
}

for (
  const [limit, sysctl, other] of [
    ["max_inotify_watches", "max_user_watches", "max_user_instances"],
    ["max_inotify_instances", "max_user_instances", "max_user_watches"],
  ] as const
) {
  linuxTest(`If ${limit} is reached, --restart names fs.inotify.${sysctl} and not ${other}`, async () => {
    if (!await canLimit()) return;
    const { code, stderr } = await runToEnd(["-r", "-p", "0", WORKERS_APP], {
      wrapper: ["unshare", "-Ur"],
      shell: `echo 0 > /proc/sys/user/${limit}`,
    });
    assert.equal(code, 2, stderr);
    assert.match(stderr, new RegExp(`cannot watch .*raise fs\\.inotify\\.${sysctl} `));
    assert.ok(!stderr.includes(other), stderr);
  });
}
