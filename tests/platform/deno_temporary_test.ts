// Real temporary files: only this process can open them, none of them stays, and how they fail.

import assert from "node:assert/strict";
import { denoTemporaryFiles } from "../../src/platform/deno_temporary.ts";
import { StorageError } from "../../src/platform/errors.ts";
import { unixTest } from "../helpers/program.ts";
import { onTinyDisk, realDisk } from "../helpers/temporary.ts";

Deno.test("A temporary file gives back the bytes that were written, in pieces of the reader's size", async () => {
  await using disk = realDisk();
  const file = await disk.open();
  await file.append(new TextEncoder().encode("warp "));
  await file.append(new TextEncoder().encode("and weft"));
  const into = new Uint8Array(6);
  let text = "";
  for (let count = await file.read(into); count !== null; count = await file.read(into)) {
    text += new TextDecoder().decode(into.subarray(0, count));
  }
  assert.equal(text, "warp and weft");
  await file.remove();
  await file.remove();
});

unixTest(
  "A temporary file has no name once it is open, so that a killed process does not leave it",
  async () => {
    await using disk = realDisk();
    const file = await disk.open();
    await file.append(new Uint8Array(100_000));
    assert.deepEqual(disk.names(), []);
    await file.remove();
  },
);

Deno.test("A removed temporary file fails with a StorageError", async () => {
  await using disk = realDisk();
  const file = await disk.open();
  await file.remove();
  await assert.rejects(file.append(new Uint8Array(1)), StorageError);
  await assert.rejects(file.read(new Uint8Array(1)), StorageError);
});

Deno.test("The error for a missing directory says what to do", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.removeSync(directory);
  await assert.rejects(denoTemporaryFiles(directory).open(), (error) => {
    assert.ok(error instanceof StorageError);
    assert.ok(error.message.includes(directory), error.message);
    assert.match(error.message, /make room there, or set TMPDIR/);
    assert.ok(error.cause instanceof Deno.errors.NotFound);
    return true;
  });
});

Deno.test("A full disk leads to an error, and its space is released", async () => {
  await onTinyDisk(async (directory) => {
    await using disk = realDisk(directory);
    const file = await disk.open();
    await file.append(new Uint8Array(900_000));
    await assert.rejects(file.append(new Uint8Array(900_000)), /cannot be written in .*(No space|ENOSPC|os error 28)/);
    await file.remove();
    const other = await disk.open();
    await other.append(new Uint8Array(900_000));
    await other.remove();
  });
});
