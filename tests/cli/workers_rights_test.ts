// What a supervisor and its workers have to be permitted, and that no worker may do more than its parent.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { linuxTest, start, unixTest } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";
import { supervise } from "../helpers/supervised.ts";

const APP = `
export default async () => {
  const tried = {};
  for (const [name, call] of Object.entries({
    read: () => Deno.readTextFile("/etc/hostname"),
    write: () => Deno.writeTextFile(new URL("written", import.meta.url), ""),
    net: () => Deno.connect({ port: 1 }),
    env: () => Deno.env.toObject(),
    run: () => new Deno.Command("true").output(),
    sys: () => Deno.hostname(),
  })) tried[name] = await Promise.resolve().then(call).then(() => "done", (error) => error.name);
  return Response.json(tried);
};
`;

/** A port on which no process listens now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

linuxTest(
  "A supervisor and two workers run with the least permissions, and a worker has no more than its parent",
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "weft" });
    const app = `${directory}/app.js`;
    await Deno.writeTextFile(app, APP);
    const port = freePort();
    const control = `${directory}/control.sock`;
    await using program = await supervise(["-w", "2", app], {
      directory,
      port: ["-p", `${port}`],
      cwd: "/",
      deno: [
        "--no-prompt",
        `--allow-run=${Deno.execPath()}`,
        `--allow-net=127.0.0.1:${port},unix:${control}`,
        `--allow-read=${app},${control}`,
        `--allow-write=${control}`,
      ],
    });
    const url = await program.url();
    await program.atStrength(2);
    assert.deepEqual(
      await (await fetch(url)).json(),
      Object.fromEntries(["read", "write", "net", "env", "run", "sys"].map((name) => [name, "NotCapable"])),
    );
    assert.ok((await program.ask({ ask: "reload" })).ok);
    assert.equal((await program.stop()).code, 0);
  },
);

linuxTest(
  "With permissions by name a worker reads the variables that its parent may, and its application may import Weft",
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "weft" });
    const app = `${directory}/app.js`;
    await Deno.writeTextFile(
      app,
      `export { uploadProgress } from "${runtime.packageName}"; export default () => new Response("app");`,
    );
    const port = freePort();
    const control = `${directory}/control.sock`;
    await using program = await supervise(["-w", "1", app], {
      directory,
      port: [],
      cwd: "/",
      env: { PORT: `${port}`, WEFT_HEALTH: "/healthz" },
      deno: [
        "--no-prompt",
        "--allow-env=PORT,WEFT_HEALTH",
        `--allow-run=${Deno.execPath()}`,
        `--allow-net=0.0.0.0:${port},unix:${control}`,
        `--allow-read=${app},${control}`,
        `--allow-write=${control}`,
      ],
    });
    const url = await program.url();
    assert.equal(new URL(url).port, `${port}`);
    const local = `http://127.0.0.1:${port}`;
    assert.equal(await (await fetch(`${local}/`)).text(), "app");
    assert.equal(await (await fetch(`${local}/healthz`)).text(), "serving\n");
    assert.equal((await program.stop()).code, 0);
  },
);

linuxTest("A worker that may listen on one IPv6 address, by its name, does", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const app = `${directory}/app.js`;
  await Deno.writeTextFile(app, APP);
  const port = freePort();
  const control = `${directory}/control.sock`;
  await using program = await supervise(["-w", "1", "--host", "::1", app], {
    directory,
    port: ["-p", `${port}`],
    cwd: "/",
    deno: [
      "--no-prompt",
      `--allow-run=${Deno.execPath()}`,
      `--allow-net=[::1]:${port},unix:${control}`,
      `--allow-read=${app},${control}`,
      `--allow-write=${control}`,
    ],
  });
  const url = await program.url();
  assert.equal(url, `http://[::1]:${port}`);
  assert.equal((await (await fetch(url)).json()).net, "NotCapable");
  assert.equal((await program.stop()).code, 0);
});

linuxTest("A comma in a path gives a worker nothing that its parent may not, and takes nothing away", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  await Deno.mkdir(`${directory}/a,b`);
  const app = `${directory}/a,b/app.js`;
  await Deno.writeTextFile(app, APP);
  const port = freePort();
  const control = `${directory}/control.sock`;
  await using program = await supervise(["-w", "1", app], {
    directory,
    port: ["-p", `${port}`],
    cwd: "/",
    deno: [
      "--no-prompt",
      `--allow-run=${Deno.execPath()}`,
      `--allow-net=127.0.0.1:${port},unix:${control}`,
      `--allow-read=${directory}`,
      `--allow-write=${control}`,
    ],
  });
  const tried = await (await fetch(await program.url())).json();
  assert.deepEqual([tried.read, tried.write], ["NotCapable", "NotCapable"]);
  assert.equal((await program.stop()).code, 0);
});

unixTest("A supervisor that may not start processes says so and ends with 1", async () => {
  const root = fromFileUrl(new URL("../../", import.meta.url));
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  await using program = await supervise(["-w", "1"], {
    directory,
    deno: ["--no-prompt", "--allow-net", `--allow-read=${root},${directory}`, `--allow-write=${directory}`],
  });
  const { code, stderr } = await program.ended;
  assert.equal(code, 1);
  assert.match(stderr, /weft: cannot start a worker: Requires run access to /);
});

unixTest("Workers start without XDG_RUNTIME_DIR and without the permission to ask for the user's number", async () => {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "w" });
  try {
    await using program = start(["-w", "1", "-p", "0"], {
      env: { XDG_RUNTIME_DIR: "", TMPDIR: directory },
      deno: ["--no-prompt", "--allow-read", "--allow-write", "--allow-net", "--allow-run", "--allow-env"],
    });
    await program.url();
    await program.waitFor(new RegExp(`control: ${directory}/weft-\\d+/${program.pid}\\.sock`));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
