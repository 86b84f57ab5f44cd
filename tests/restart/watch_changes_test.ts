// How file events become changes, over files and time that only the test moves.

import assert from "node:assert/strict";
import { ModulesUnknown } from "../../src/platform/errors.ts";
import { WatchLimit } from "../../src/platform/errors.ts";
import { CannotWatch } from "../../src/restart/source_set.ts";
import { watchForChanges, type WatchOptions } from "../../src/restart/watch_changes.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeSources } from "../helpers/fake_sources.ts";

const FILES = { "/app/app.ts": "1", "/app/lib/a.ts": "1", "/app/lib/deep/b.ts": "1", "/other/c.ts": "1" };

/** Watches fake files and keeps what is told. */
async function watching(options: Partial<WatchOptions> = {}, modules: string[] | Error = ["/app/app.ts"]) {
  const sources = new FakeSources(FILES);
  sources.modules = modules;
  const clock = new FakeClock();
  const logged: string[] = [];
  const context = {
    cwd: "/",
    clock,
    sources,
    files: sources,
    log: (level: string, message: string) => void logged.push(`${level} ${message}`),
  };
  const changes = await watchForChanges({ app: "/app/app.ts", ...options }, context);
  const told: string[][] = [];
  const ended = (async () => {
    for await (const { paths } of changes) told.push([...paths]);
  })();
  ended.catch(() => {});
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await settled();
  };
  return { sources, clock, changes, told, ended, logged, pass, [Symbol.asyncDispose]: () => changes.close() };
}

Deno.test("A save is told after the delay, and not before", async () => {
  await using watch = await watching();
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(199);
  assert.deepEqual(watch.told, []);
  await watch.pass(1);
  assert.deepEqual(watch.told, [["/app/app.ts"]]);
});

Deno.test("The delay can be chosen", async () => {
  await using watch = await watching({ delayMs: 1000 });
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(999);
  assert.deepEqual(watch.told, []);
  await watch.pass(1);
  assert.equal(watch.told.length, 1);
});

Deno.test("The same content saved again is no change, neither the first time nor after another", async () => {
  await using watch = await watching();
  watch.sources.write("/app/app.ts", "1");
  await watch.pass(200);
  assert.deepEqual(watch.told, []);
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(200);
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(200);
  assert.equal(watch.told.length, 1);
});

Deno.test("A file that comes and goes, or goes and comes back as it was, is no change", async () => {
  await using watch = await watching();
  watch.sources.write("/app/temporary.ts", "x");
  watch.sources.put("/app/temporary.ts", null);
  watch.sources.put("/app/app.ts", null);
  watch.sources.write("/app/app.ts", "1");
  await watch.pass(200);
  assert.deepEqual(watch.told, []);
});

Deno.test("A file that is removed is a change", async () => {
  await using watch = await watching({}, ["/app/app.ts", "/app/lib/a.ts"]);
  watch.sources.put("/app/lib/a.ts", null);
  watch.sources.see({ kind: "named", paths: ["/app/lib/a.ts"] });
  await watch.pass(200);
  assert.deepEqual(watch.told, [["/app/lib/a.ts"]]);
});

Deno.test("Only files that were named are looked at", async () => {
  await using watch = await watching({ directories: ["/app"] });
  const before = watch.sources.looks;
  watch.sources.write("/app/lib/a.ts", "1");
  watch.sources.write("/app/lib/a.ts", "1");
  await watch.pass(200);
  assert.equal(watch.sources.looks - before, 1);
});

Deno.test("If file events were lost, what has changed is found all the same", async () => {
  await using watch = await watching({ directories: ["/app"] });
  watch.sources.put("/app/lib/a.ts", "2");
  watch.sources.put("/app/new/x.ts", "1");
  watch.sources.put("/app/lib/deep/b.ts", null);
  watch.sources.see({ kind: "lost", paths: [] });
  await watch.pass(400);
  assert.deepEqual(watch.told, [["/app/lib/a.ts", "/app/lib/deep/b.ts", "/app/new/x.ts"]]);
  assert.deepEqual(watch.sources.watches.at(-1)?.directories, ["/app", "/app/lib", "/app/new"]);
});

Deno.test("Files in a fresh directory are found, and the directory is watched then", async () => {
  await using watch = await watching({ directories: ["/app"] });
  watch.sources.put("/app/fresh/nested/x.ts", "1");
  watch.sources.see({ kind: "named", paths: ["/app/fresh"] });
  await watch.pass(200);
  assert.deepEqual(watch.told, [], "it may still be filled");
  watch.sources.write("/app/fresh/nested/y.ts", "1");
  await watch.pass(200);
  assert.deepEqual(watch.told, [["/app/fresh/nested/x.ts", "/app/fresh/nested/y.ts"]]);
});

Deno.test("A watch is closed before the next one is opened, and what is saved between is not lost", async () => {
  await using watch = await watching({ directories: ["/app"] });
  const { sources } = watch;
  const open = sources.watch.bind(sources);
  sources.watch = (directories) => {
    assert.ok(sources.watches.every(({ isClosed }) => isClosed));
    sources.put("/app/app.ts", "saved between");
    return open(directories);
  };
  sources.see({ kind: "named", paths: ["/app/lib"] });
  await watch.pass(400);
  assert.deepEqual(watch.told, [["/app/app.ts"]]);
});

Deno.test("Modules that a change has brought in are watched when it is told, and are not new themselves", async () => {
  await using watch = await watching();
  watch.sources.modules = ["/app/app.ts", "/other/c.ts"];
  watch.sources.write("/app/app.ts", "import '../other/c.ts'");
  await watch.pass(200);
  assert.deepEqual(watch.told, [["/app/app.ts"]]);
  assert.deepEqual(watch.changes.directories, ["/app", "/other"]);
  watch.sources.write("/other/c.ts", "2");
  await watch.pass(200);
  assert.deepEqual(watch.told.slice(1), [["/other/c.ts"]]);
});

Deno.test("Modules that were dropped are not watched any longer", async () => {
  await using watch = await watching({}, ["/app/app.ts", "/other/c.ts"]);
  watch.sources.modules = ["/app/app.ts"];
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(200);
  watch.sources.write("/other/c.ts", "2");
  await watch.pass(200);
  assert.deepEqual(watch.told, [["/app/app.ts"]]);
});

Deno.test("What changes while the reader is busy is one change when it comes back", async () => {
  const watch = await watching();
  await watch.changes.close();
  await watch.ended;
  const { sources, clock } = watch;
  const context = { cwd: "/", clock, sources, files: sources, log: () => {} };
  await using changes = await watchForChanges({ app: "/app/app.ts" }, context);
  for (const [path, text] of [["/app/app.ts", "2"], ["/app/more.ts", "1"], ["/app/app.ts", "3"]] as const) {
    sources.write(path, text);
    await clock.advance(200);
  }
  const { value } = await changes[Symbol.asyncIterator]().next();
  assert.deepEqual(value, { paths: ["/app/app.ts", "/app/more.ts"] });
});

Deno.test("If modules cannot be told, the application's directory is watched and the log says so once", async () => {
  await using watch = await watching({}, new ModulesUnknown("no deno here"));
  assert.deepEqual(watch.changes.directories, ["/app"]);
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(200);
  assert.deepEqual(watch.told, [["/app/app.ts"]]);
  assert.deepEqual(watch.logged, [
    "WARN cannot tell which modules belong to /app/app.ts, so only files in /app are watched " +
    "(name others with --restart-directory): no deno here",
  ]);
});

Deno.test("If modules cannot be told any longer, what was watched stays watched", async () => {
  await using watch = await watching({}, ["/app/app.ts", "/other/c.ts"]);
  watch.sources.modules = new ModulesUnknown("the configuration cannot be parsed");
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(200);
  assert.deepEqual(watch.changes.directories, ["/app", "/other"]);
});

Deno.test("What cannot be watched is told with what to do", async () => {
  const expect = (options: Partial<WatchOptions>, message: RegExp) =>
    assert.rejects(watching(options), (error) => error instanceof CannotWatch && message.test(error.message));
  await expect(
    { directories: ["/nowhere"] },
    /^cannot watch \/nowhere: expected a directory, there is nothing .*make it/,
  );
  await expect({ directories: ["/app/app.ts"] }, /^cannot watch \/app\/app.ts: expected a directory, it is none; name/);
  await expect(
    { app: "/app/gone.ts" },
    /^cannot watch \/app\/gone.ts: expected the file .* there is none of that name/,
  );
  await expect({ app: "/app/lib" }, /^cannot watch \/app\/lib: .* it is a directory; name a module in it/);
  await expect({ app: "npm:hono" }, /^there is nothing to watch: .* got npm:hono; name a directory with --restart-dir/);
  await expect({ app: null }, /^there is nothing to watch: .* got none; name a directory/);
});

Deno.test("A file URL is as good as a path", async () => {
  await using watch = await watching({ app: "file:///app/app.ts" });
  assert.deepEqual(watch.changes.directories, ["/app"]);
});

Deno.test("If the system refuses later, the iteration says so and nothing is left running", async () => {
  await using watch = await watching({ directories: ["/app"] });
  watch.sources.refusal = new Error("no watches are left");
  watch.sources.see({ kind: "named", paths: ["/app/lib"] });
  await watch.pass(200);
  await assert.rejects(
    watch.ended,
    (error) =>
      error instanceof CannotWatch &&
      /^cannot watch 3 directories .*: no watches are left$/.test(error.message),
  );
  assert.equal(watch.clock.timers, 0);
});

Deno.test("A limit of the system is named with what raises it", async () => {
  for (
    const [resource, advice] of [
      ["watches", /no more; .*raise fs\.inotify\.max_user_watches /],
      ["instances", /no more; .*raise fs\.inotify\.max_user_instances /],
      ["descriptors", /no more; .*`ulimit -n`/],
    ] as const
  ) {
    await using watch = await watching();
    watch.sources.refusal = new WatchLimit(resource, { cause: new Error("no more") });
    watch.sources.see({ kind: "lost", paths: [] });
    await watch.pass(200);
    await assert.rejects(watch.ended, (error) => error instanceof CannotWatch && advice.test(error.message));
  }
});

Deno.test("close() ends the iteration in the middle of a burst, and may be called again", async () => {
  const watch = await watching();
  watch.sources.write("/app/app.ts", "2");
  await watch.pass(100);
  await watch.changes.close();
  await watch.changes.close();
  await watch.ended;
  assert.deepEqual(watch.told, []);
  assert.equal(watch.clock.timers, 0);
  assert.ok(watch.sources.watches.every(({ isClosed }) => isClosed));
});
