// The program serves an application that imports another copy of the package.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";
import { start, unixTest } from "../helpers/program.ts";
import { type Project, project } from "../helpers/projects.ts";
import { Chatter } from "../helpers/web_sockets.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** A project with a copy of the package in `weft/`. */
async function projectWithCopy(app: string): Promise<Project> {
  const own = await project({ "app.ts": app });
  await copy(`${ROOT}src`, own.path("weft/src"));
  await Deno.copyFile(`${ROOT}mod.ts`, own.path("weft/mod.ts"));
  return own;
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    await (isDirectory ? copy : Deno.copyFile)(`${from}/${name}`, `${to}/${name}`);
  }
}

const UPLOADS = `
  import { ProtocolError, progressOf, receiveUploads, UploadError, uploadProgress } from "./weft/mod.ts";
  async function handler(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/exists") {
      return Response.json(await Deno.stat(searchParams.get("path")).then(() => true, () => false));
    }
    if (pathname === "/progress") return Response.json(await progressOf(searchParams.get("id")));
    if (pathname === "/caught") {
      const error = await request.text().then(() => null, (error) => error);
      return Response.json([error instanceof ProtocolError, error instanceof UploadError, error?.code]);
    }
    const copied = pathname === "/copied" ? new Request(request) : request;
    const { files } = await receiveUploads(copied, { maxFileBytes: 1000 });
    return Response.json({ path: files[0].path });
  }
`;

/** A form with a file. */
function form(bytes: number): FormData {
  const form = new FormData();
  form.append("file", new File(["x".repeat(bytes)], "x.txt"));
  return form;
}

for (
  const [served, ending, args] of [
    ["an application that follows its uploads", "export default uploadProgress(handler);", []],
    ["an application whose uploads the program follows", "export default handler;", ["--upload-progress"]],
  ] as const
) {
  unixTest(
    `Files go with their request, and progress and errors are known, for ${served} by another copy`,
    async () => {
      await using own = await projectWithCopy(UPLOADS + ending);
      await using program = start(["-p", "0", "--max-body-size", "2000", ...args, own.path("app.ts")]);
      const url = await program.url();
      for (const [path, id] of [["/upload", "the-first-one"], ["/copied", "the-second-one"]] as const) {
        const response = await fetch(`${url}${path}?progress_id=${id}`, { method: "POST", body: form(10) });
        const file = (await response.json()).path as string;
        assert.match(file, /weft-/);
        // The last byte of the answer and the removal are a few turns apart.
        let asked = 0;
        while (await (await fetch(`${url}/exists?path=${encodeURIComponent(file)}`)).json()) {
          assert.ok(++asked < 500, `${file} was left behind`);
        }
        const poll = await (await fetch(`${url}/?progress_id=${id}`)).json();
        assert.deepEqual([poll.state, poll.status], ["done", 200]);
        assert.deepEqual(await (await fetch(`${url}/progress?id=${id}`)).json(), poll);
      }
      const refused = await fetch(`${url}/upload`, { method: "POST", body: form(1500) });
      assert.equal(refused.status, 413, "a client's mistake that this copy throws and the program's copy answers");
      await refused.body?.cancel();
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(2500));
          controller.close();
        },
      });
      const caught = await fetch(`${url}/caught`, { method: "POST", body });
      assert.deepEqual(await caught.json(), [true, false, "body-too-large"]);
      program.kill("SIGTERM");
      assert.equal((await program.ended).code, 0);
    },
  );
}

Deno.test("An application that calls serve() of another copy is served by the program", async () => {
  await using own = await projectWithCopy(
    'import { serve } from "./weft/mod.ts";\nserve({ port: 1 }, () => new Response("served"));\n',
  );
  await using program = start(["-p", "0", own.path("app.ts")]);
  assert.equal(await (await fetch(await program.url())).text(), "served");
});

Deno.test("A copy of another major version is named in a warning", async () => {
  await using own = await projectWithCopy(`${UPLOADS}export default handler;`);
  const path = own.path("weft/src/copies/shared.ts");
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("MAJOR = 0", "MAJOR = 7"));
  await using program = start(["-p", "0", own.path("app.ts")]);
  await program.url();
  await program.waitFor(/WARN\] the application imports version 7 of @weft\/engine, and this is version 0: /);
});

Deno.test("A WebSocket is made by the function of another copy, which knows the requests of the program", async () => {
  await using own = await projectWithCopy(`
    import { upgradeWebSocket } from "./weft/mod.ts";
    export default (request) => {
      const { socket, response } = upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    };
  `);
  await using program = start(["-p", "0", own.path("app.ts")]);
  await using chatter = await Chatter.to(await program.url());
  chatter.socket.send("from one copy to the other");
  assert.equal(await chatter.next(), "from one copy to the other");
});
