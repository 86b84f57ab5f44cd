// What a form becomes, what is too much of it, and that nothing stays on the disk, without a server.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import fc from "npm:fast-check@^4";
import { receiveUploads, UploadError, type UploadOptions } from "../../mod.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { file, formBytes, formRequest, type RawPart, value } from "../helpers/multipart.ts";
import { onTinyDisk } from "../helpers/temporary.ts";

/** A directory for one test, empty at its end. */
function emptyDirectory(): { directory: string } & Disposable {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  return {
    directory,
    [Symbol.dispose]() {
      const left = Array.from(Deno.readDirSync(directory), ({ name }) => name);
      Deno.removeSync(directory, { recursive: true });
      assert.deepEqual(left, []);
    },
  };
}

const isWindows = Deno.build.os === "windows";

Deno.test("Fields and files come as they were sent", async () => {
  using temporary = emptyDirectory();
  const parts = [
    value("title", "a loom"),
    file("photo", "loom.txt", "warp"),
    value("tag", "one"),
    value("tag", "zwei ä"),
    file("photo", "../weft.html", "weft", "text/html; charset=utf-8"),
    value("__proto__", "x"),
    value("empty", ""),
  ];
  await using uploads = await receiveUploads(formRequest(formBytes(parts, "b")), temporary);
  assert.deepEqual([...uploads.fields], [
    ["title", ["a loom"]],
    ["tag", ["one", "zwei ä"]],
    ["__proto__", ["x"]],
    ["empty", [""]],
  ]);
  assert.equal(uploads.field("tag"), "zwei ä");
  assert.equal(uploads.field("nothing"), null);
  assert.deepEqual(
    uploads.files.map(({ field, name, type, size }) => [field, name, type, size]),
    [["photo", "loom.txt", "text/plain", 4], ["photo", "weft.html", "text/html", 4]],
  );
  assert.equal(uploads.file("photo"), uploads.files[1]);
  assert.equal(uploads.file("title"), null);
  for (const [nr, text] of [[0, "warp"], [1, "weft"]] as const) {
    const received = itemAt(uploads.files, nr);
    assert.equal(await received.text(), text);
    assert.equal(await new Response(received.stream()).text(), text);
    assert.equal(Deno.readTextFileSync(received.path!), text);
  }
});

Deno.test("Any split of a form gives the same fields and files", async () => {
  using temporary = emptyDirectory();
  const parts = [value("é", "1\r\n--"), file("f", "日.txt", new Uint8Array(3000).fill(13)), file("g", "e.txt", "")];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (pieceBytes) => {
      await using uploads = await receiveUploads(formRequest(formBytes(parts, "-b"), { boundary: "-b", pieceBytes }), {
        directory: temporary.directory,
      });
      assert.deepEqual([...uploads.fields], [["é", ["1\r\n--"]]]);
      assert.deepEqual(uploads.files.map(({ name, size }) => [name, size]), [["日.txt", 3000], ["e.txt", 0]]);
      assert.ok(
        Buffer.from(await new Response(itemAt(uploads.files, 0).stream()).bytes()).equals(
          new Uint8Array(3000).fill(13),
        ),
      );
    }),
    { numRuns: 40 },
  );
});

Deno.test("A large file comes whole", async () => {
  using temporary = emptyDirectory();
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
  for (const pieceBytes of [1_000, 64 * 1024, 700_000, Infinity]) {
    const request = formRequest(formBytes([file("f", "a", bytes), file("g", "b", bytes)], "b"), { pieceBytes });
    await using uploads = await receiveUploads(request, temporary);
    for (const { size, path } of uploads.files) {
      assert.equal(size, bytes.length);
      assert.ok(Buffer.from(Deno.readFileSync(path!)).equals(bytes));
    }
  }
});

Deno.test("A field for a file that was left empty is no file; one without a name but with bytes is", async () => {
  using temporary = emptyDirectory();
  const request = formRequest(formBytes([file("a", "", ""), file("b", "", "x"), file("c", "c.txt", "")], "b"));
  await using uploads = await receiveUploads(request, { ...temporary, maxFiles: 2 });
  assert.deepEqual(
    uploads.files.map(({ field, name, size }) => [field, name, size]),
    [["b", "file", 1], ["c", "c.txt", 0]],
  );
});

Deno.test("A file is for this user alone, under a name that no client chooses", async () => {
  using temporary = emptyDirectory();
  await using uploads = await receiveUploads(formRequest(formBytes([file("a", "a.html", "x")], "b")), temporary);
  const path = itemAt(uploads.files, 0).path!;
  assert.match(path.slice(temporary.directory.length), /^[/\\]weft-[0-9a-zA-Z]+[/\\]1$/);
  if (isWindows) return;
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(path.slice(0, -2)).mode! & 0o777, 0o700);
});

Deno.test("A file that is moved away stays, also on another disk; the others go", async () => {
  using target = emptyDirectory();
  // The second file system of a Linux machine.
  const other = Deno.build.os === "linux" ? Deno.makeTempDirSync({ dir: "/dev/shm" }) : null;
  using temporary = emptyDirectory();
  const parts = [file("a", "a.txt", "one"), file("a", "b.txt", "two"), file("a", "c.txt", "three")];
  const uploads = await receiveUploads(formRequest(formBytes(parts, "b")), temporary);
  const [first, second, third] = firstItems(uploads.files, 3);
  const here = `${target.directory}/kept.txt`;
  const there = `${other ?? target.directory}/kept_too.txt`;
  Deno.writeTextFileSync(here, "what was there before");
  await first.moveTo(here);
  await second.moveTo(there);
  await assert.rejects(third.moveTo(`${target.directory}/no/such/directory`), Deno.errors.NotFound);
  assert.equal(first.path, here);
  assert.equal(await second.text(), "two");
  await uploads.dispose();
  await uploads.dispose();
  assert.equal(Deno.readTextFileSync(here), "one");
  assert.equal(Deno.readTextFileSync(there), "two");
  assert.equal(await first.text(), "one");
  assert.equal(third.path, null);
  for (const use of [() => third.text(), async () => await third.stream(), () => third.moveTo(here)]) {
    await assert.rejects(async () => await use(), { name: "TypeError", message: /was removed when its request ended/ });
  }
  Deno.removeSync(here);
  if (other !== null) assert.deepEqual(Array.from(Deno.readDirSync(other), ({ name }) => name), ["kept_too.txt"]);
  Deno.removeSync(other ?? there, { recursive: true });
});

/** Too much, and what it is called. */
const LIMITS: [code: string, limits: UploadOptions, parts: RawPart[]][] = [
  ["too-many-files", { maxFiles: 1 }, [file("a", "a", "1"), file("b", "b", "2")]],
  ["too-many-files", { maxFiles: 0 }, [file("a", "a", "1")]],
  ["too-many-files", {}, Array.from({ length: 10_000 }, () => file("a", "a", "1"))],
  ["too-many-fields", { maxFields: 1 }, [value("a", "1"), value("a", "2")]],
  ["too-many-fields", {}, Array.from({ length: 10_000 }, () => value("a", "1"))],
  ["file-too-large", { maxFileBytes: 4 }, [file("a", "a", "1234"), file("b", "b", "12345")]],
  ["field-too-large", { maxFieldBytes: 4 }, [value("a", "1234"), value("a", "12345")]],
  ["field-too-large", {}, [value("a", "x".repeat(1024 ** 2 + 1))]],
  ["fields-too-large", { maxFieldsBytes: 6 }, [value("a", "1234"), value("a", "123")]],
  ["total-too-large", { maxTotalBytes: 100 }, [file("a", "a", "1".repeat(50))]],
  ["part-head-too-large", {}, [file("a", "a".repeat(17_000), "1")]],
];

Deno.test("Too much of anything is 413, and leaves nothing on the disk", async () => {
  for (const [code, limits, parts] of LIMITS) {
    using temporary = emptyDirectory();
    for (const pieceBytes of [20, 5_000, Infinity]) {
      const request = formRequest(formBytes(parts, "b"), { pieceBytes });
      await assert.rejects(receiveUploads(request, { ...temporary, ...limits }), (error) => {
        assert.ok(error instanceof UploadError);
        assert.deepEqual([error.code, error.status], [code, 413]);
        return true;
      });
      assert.deepEqual([...Deno.readDirSync(temporary.directory)], []);
    }
  }
});

Deno.test("Just as much as allowed is taken", async () => {
  using temporary = emptyDirectory();
  const bytes = formBytes([file("ab", "a", "1234"), value("cd", "123"), value("cd", "456")], "b");
  await using uploads = await receiveUploads(formRequest(bytes), {
    ...temporary,
    maxFiles: 1,
    maxFields: 2,
    maxFileBytes: 4,
    maxFieldBytes: 3,
    maxFieldsBytes: 6,
    maxTotalBytes: bytes.length,
    maxNameLength: 2,
  });
  assert.equal(uploads.files.length, 1);
});

Deno.test("A form whose length says too much is not read", async () => {
  const request = formRequest("never read");
  request.headers.set("content-length", "1000");
  await assert.rejects(receiveUploads(request, { maxTotalBytes: 999 }), { code: "total-too-large" });
  assert.equal(request.bodyUsed, false);
});

Deno.test("A broken form is 400 and leaves nothing on the disk", async () => {
  const broken: [code: string, bytes: string | Uint8Array][] = [
    ["cut-short", ""],
    ["cut-short", "no form"],
    ["cut-short", formBytes([file("a", "a", "1".repeat(5_000))], "b").subarray(0, 4_000)],
    ["bad-part", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n"],
    ["name-too-long", formBytes([value("x".repeat(257), "1")], "b")],
  ];
  for (const [code, bytes] of broken) {
    using temporary = emptyDirectory();
    // A file that came whole goes too.
    const whole = formBytes([file("first", "a", "1".repeat(5_000))], "b");
    for (const all of [bytes, Buffer.concat([whole.subarray(0, -7), Buffer.from("\r\n"), Buffer.from(bytes)])]) {
      await assert.rejects(receiveUploads(formRequest(all, { pieceBytes: 1_000 }), temporary), (error) => {
        assert.ok(error instanceof UploadError);
        assert.equal(error.status, 400, error.message);
        return all !== bytes || error.code === code;
      });
      assert.deepEqual([...Deno.readDirSync(temporary.directory)], []);
    }
  }
});

Deno.test("A request without a form is 415, one that was read already is the caller's mistake", async () => {
  await assert.rejects(receiveUploads(new Request("http://a/")), { code: "not-multipart", status: 415 });
  await assert.rejects(receiveUploads(formRequest("x", { type: "text/plain" })), { code: "not-multipart" });
  await assert.rejects(receiveUploads(formRequest("x", { type: "multipart/form-data" })), { code: "bad-boundary" });
  const used = formRequest("x");
  await used.text();
  await assert.rejects(receiveUploads(used), TypeError);
  await assert.rejects(receiveUploads(formRequest("x"), { maxFiles: -1 }), RangeError);
  await assert.rejects(receiveUploads(formRequest("x"), { maxFiles: "5" as unknown as number }), RangeError);
});

Deno.test("A sink gets the bytes of each file, no faster than it takes them, and nothing touches the disk", async () => {
  using temporary = emptyDirectory();
  const got = new Map<string, number>();
  let isBusy = false;
  let read = 0;
  let ahead = 0;
  const bytes = formBytes([file("a", "1.txt", new Uint8Array(2_000_000)), file("b", "2.txt", "xyz")], "b");
  const request = formRequest(bytes, { pieceBytes: 50_000 });
  const counted = new Request(request, {
    body: request.body!.pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          read += chunk.length;
          controller.enqueue(chunk);
        },
      }),
    ),
    duplex: "half",
  } as RequestInit);
  let written = 0;
  await using uploads = await receiveUploads(counted, {
    ...temporary,
    sink: ({ field, name, type }) => {
      assert.equal(type, "text/plain");
      return new WritableStream({
        async write(chunk) {
          assert.equal(isBusy, false);
          isBusy = true;
          await new Promise<void>((resolve) => setImmediate(resolve));
          isBusy = false;
          written += chunk.length;
          ahead = Math.max(ahead, read - written);
          got.set(field + name, (got.get(field + name) ?? 0) + chunk.length);
        },
        close: () => void got.set(`${field} closed`, 1),
      });
    },
  });
  assert.deepEqual([...got], [["a1.txt", 2_000_000], ["a closed", 1], ["b2.txt", 3], ["b closed", 1]]);
  assert.ok(ahead < 400_000, `${ahead} bytes were read ahead of the sink`);
  assert.deepEqual(uploads.files.map(({ size, path }) => [size, path]), [[2_000_000, null], [3, null]]);
  await assert.rejects(itemAt(uploads.files, 0).text(), { name: "TypeError", message: /went to the sink/ });
});

Deno.test("A sink may leave a file to the disk", async () => {
  using temporary = emptyDirectory();
  const request = formRequest(formBytes([file("a", "a", "1"), file("b", "b", "2")], "b"));
  await using uploads = await receiveUploads(request, {
    ...temporary,
    sink: ({ field }) => Promise.resolve(field === "a" ? new WritableStream() : null),
  });
  assert.deepEqual(uploads.files.map(({ path }) => path === null), [true, false]);
  assert.equal(await itemAt(uploads.files, 1).text(), "2");
});

Deno.test("A sink that fails is the application's error; a form that fails aborts the sink", async () => {
  using temporary = emptyDirectory();
  const bytes = formBytes([file("a", "a", "1"), file("b", "b", "2".repeat(10_000))], "b");
  const error = new Error("the bucket is gone");
  for (
    const sink of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
      () => new WritableStream({ write: () => Promise.reject(error) }),
      () => new WritableStream({ close: () => Promise.reject(error) }),
    ]
  ) {
    const mixed = ({ field }: { field: string }) => field === "a" ? null : sink();
    await assert.rejects(receiveUploads(formRequest(bytes), { ...temporary, sink: mixed }), error);
    assert.deepEqual([...Deno.readDirSync(temporary.directory)], []);
  }
  let reason: unknown;
  const cut = formRequest(bytes.subarray(0, 5_000), { pieceBytes: 1_000 });
  const sink = () => new WritableStream({ abort: (given) => void (reason = given) });
  await assert.rejects(receiveUploads(cut, { sink }), { code: "cut-short" });
  assert.equal((reason as UploadError).code, "cut-short");
});

Deno.test("A request of another kind that is aborted takes its files with it", async () => {
  using temporary = emptyDirectory();
  const leave = new AbortController();
  const request = new Request(formRequest(formBytes([file("a", "a", "1")], "b")), { signal: leave.signal });
  const uploads = await receiveUploads(request, temporary);
  assert.notEqual(itemAt(uploads.files, 0).path, null);
  leave.abort();
  await uploads.dispose();
  assert.equal(itemAt(uploads.files, 0).path, null);
});

Deno.test("An upload that is disposed of while it comes leaves nothing", async () => {
  using temporary = emptyDirectory();
  const leave = new AbortController();
  const bytes = formBytes([file("a", "a", "1".repeat(100_000)), file("b", "b", "2")], "b");
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulls++ === 5) leave.abort();
      controller.enqueue(bytes.slice((pulls - 1) * 10_000, pulls * 10_000));
      if (pulls * 10_000 > bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  // Its body goes on although its signal is aborted: only the disposal is under test.
  const request = Object.defineProperty(
    new Request("http://a/", { method: "POST", headers, body, duplex: "half" } as RequestInit),
    "signal",
    { value: leave.signal },
  );
  await assert.rejects(receiveUploads(request, temporary), { name: "UploadError", code: "cut-short" });
});

Deno.test("A disk that is full, or a directory that is not there, is a StorageError that says what to do", async () => {
  const bytes = formBytes([file("a", "a", "1"), file("b", "b", new Uint8Array(3_000_000))], "b");
  const request = () => formRequest(bytes, { pieceBytes: 100_000 });
  await assert.rejects(receiveUploads(request(), { directory: "/no/such/directory" }), {
    name: "StorageError",
    message: /cannot be made in \/no\/such\/directory: .* make room there, or set TMPDIR/,
  });
  await onTinyDisk(async (directory) => {
    await assert.rejects(receiveUploads(request(), { directory }), { name: "StorageError", message: /be written/ });
    assert.deepEqual([...Deno.readDirSync(directory)], []);
    await using _small = await receiveUploads(formRequest(formBytes([file("a", "a", new Uint8Array(900_000))], "b")), {
      directory,
    });
  });
});
