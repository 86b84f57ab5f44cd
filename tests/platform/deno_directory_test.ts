// What real temporary directories promise, also to those who use them when they are gone.

import assert from "node:assert/strict";
import { makeTemporaryDirectory } from "../../src/platform/deno_directory.ts";
import { StorageError } from "../../src/platform/errors.ts";

const names = (path: string) => Array.from(Deno.readDirSync(path), ({ name }) => name);

async function inDirectory(call: (parent: string) => Promise<void>): Promise<void> {
  const parent = Deno.makeTempDirSync({ prefix: "weft-test-" });
  await call(parent);
  assert.deepEqual(names(parent), []);
  Deno.removeSync(parent);
}

Deno.test("A temporary directory goes with everything in it, also with files that are open", async () => {
  await inDirectory(async (parent) => {
    const directory = await makeTemporaryDirectory(parent);
    const closed = await directory.create("1");
    await closed.append(new TextEncoder().encode("warp"));
    closed.close();
    closed.close();
    const open = await directory.create("2");
    await open.append(new Uint8Array(10));
    assert.equal(await new Response(closed.stream()).text(), "warp");
    await assert.rejects(directory.create("1"), StorageError);
    await directory.remove();
    await directory.remove();
    await assert.rejects(open.append(new Uint8Array(1)), StorageError);
    await assert.rejects(directory.create("3"), StorageError);
    await assert.rejects(new Response(closed.stream()).text(), StorageError);
  });
});

Deno.test("A file that is being made when its directory goes does not stand in the way", async () => {
  await inDirectory(async (parent) => {
    for (let i = 0; i < 50; i++) {
      const directory = await makeTemporaryDirectory(parent);
      const making = directory.create("1");
      await directory.remove();
      await (await making).append(new Uint8Array(1)).catch(() => {});
    }
  });
});

Deno.test("A stream that is cancelled, before its file is open or behind, holds nothing", async () => {
  await inDirectory(async (parent) => {
    const directory = await makeTemporaryDirectory(parent);
    const file = await directory.create("1");
    await file.append(new Uint8Array(300_000));
    file.close();
    // The test runner finds a file that is left open.
    const atOnce = file.stream().getReader();
    const read = atOnce.read();
    await atOnce.cancel();
    assert.equal((await read).done, true);
    const later = file.stream().getReader();
    assert.equal((await later.read()).value?.length, 128 * 1024);
    await later.cancel();
    await directory.remove();
  });
});

Deno.test("A directory that cannot be made is told with what to do about it", async () => {
  await assert.rejects(makeTemporaryDirectory("/no/such/directory"), {
    name: "StorageError",
    message: /cannot be made in \/no\/such\/directory: .* make room there, or set TMPDIR/,
  });
});
