// Real temporary directories, also after they were removed.

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

Deno.test("A temporary directory is removed with all files in it, including open ones", async () => {
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

Deno.test("A file that is being made does not keep its directory from being removed", async () => {
  await inDirectory(async (parent) => {
    for (let i = 0; i < 50; i++) {
      const directory = await makeTemporaryDirectory(parent);
      const making = directory.create("1");
      await directory.remove();
      await (await making).append(new Uint8Array(1)).catch(() => {});
    }
  });
});

Deno.test("A cancelled stream leaves no file open, whether it is cancelled before the file is open or after", async () => {
  await inDirectory(async (parent) => {
    const directory = await makeTemporaryDirectory(parent);
    const file = await directory.create("1");
    await file.append(new Uint8Array(300_000));
    file.close();
    // The test runner fails if a file stays open.
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

Deno.test("The error for a directory that cannot be made says what to do", async () => {
  await assert.rejects(makeTemporaryDirectory("/no/such/directory"), {
    name: "StorageError",
    message: /cannot be made in \/no\/such\/directory: .* make room there, or set TMPDIR/,
  });
});
