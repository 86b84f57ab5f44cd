// The clock on Deno: its timers are on time, and only single ones keep the process alive.

import assert from "node:assert/strict";
import { denoClock } from "../../src/platform/deno_clock.ts";

Deno.test("A timer calls once, and not before its time", async () => {
  let times = 0;
  const begun = denoClock.now();
  await new Promise<void>((resolve) => {
    denoClock.after(5.5, () => {
      times++;
      denoClock.after(20, resolve);
    });
  });
  assert.equal(times, 1);
  assert.ok(denoClock.now() - begun >= 25.5);
});

Deno.test("A cancelled timer does not call, even if a timer that is due at the same time cancels it", async () => {
  const rung: string[] = [];
  denoClock.after(1, () => rung.push("cancelled")).cancel();
  denoClock.after(5, () => second.cancel());
  const second = denoClock.after(5, () => rung.push("second"));
  await new Promise<void>((resolve) => denoClock.after(20, resolve));
  assert.deepEqual(rung, []);
});

Deno.test("A repeated timer calls until it is cancelled, also from its own call and after many calls", async () => {
  let times = 0;
  const timer = denoClock.every(2, () => {
    if (++times === 15) timer.cancel();
  });
  await new Promise<void>((resolve) => denoClock.after(500, resolve));
  assert.equal(times, 15);
});

Deno.test("A repeated timer goes on if its call throws", async () => {
  const failed = Promise.withResolvers<unknown>();
  const caught = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    failed.resolve(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", caught);
  const alive = denoClock.after(60_000, () => {});
  let times = 0;
  const again = Promise.withResolvers<void>();
  const timer = denoClock.every(1, () => {
    if (++times === 1) throw new Error("once");
    again.resolve();
  });
  assert.match(String(await failed.promise), /once/);
  await again.promise;
  timer.cancel();
  alive.cancel();
  globalThis.removeEventListener("unhandledrejection", caught);
});

Deno.test("A repeated timer does not keep the process alive, a single one does", async () => {
  const clock = JSON.stringify(new URL("../../src/platform/deno_clock.ts", import.meta.url).href);
  const script = `import { denoClock } from ${clock};
    let times = 0;
    denoClock.every(1, () => times++);
    denoClock.after(50, () => console.log(times > 0));`;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
  assert.equal(code, 0);
  assert.equal(new TextDecoder().decode(stdout).trim(), "true");
});
