// The browser's module on a page of its own: other languages, events, servers that refuse or tell nothing.

import assert from "node:assert/strict";
import type { Page } from "npm:playwright-core@1";
import client from "../../src/progress/client/progress_client.js" with { type: "text" };
import { uploadProgress } from "../../src/progress/upload_progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import type { Handler } from "../../src/message/handler.ts";
import { browserForTests, makeFile } from "../helpers/browser.ts";
import { itemAt } from "../helpers/items.ts";
import { serving } from "../helpers/serving.ts";

const browser = await browserForTests();

/** What an upload of the page has told, as its events came. */
interface Heard {
  type: string;
  state: string;
  status: number;
  text: string;
}

function page(lang: string): Response {
  const html = `<!doctype html><html lang="${lang}"><link rel="icon" href="data:,">
    <form method="post" enctype="multipart/form-data" action="/upload">
      <label>File <input type="file" name="file"></label>
      <input type="hidden" name="note" value="warp and weft">
      <button>Send</button>
    </form>`;
  return new Response(html, { headers: { "content-type": "text/html" } });
}

/** Attaches the module; options are source text, as they may hold functions. */
async function attach(page: Page, options = "{}"): Promise<void> {
  await page.evaluate(`(async () => {
    const { attachUploadProgress } = await import("/client.js");
    const form = document.querySelector("form");
    globalThis.heard = [];
    for (const type of ["start", "progress", "done", "error", "aborted"]) {
      document.addEventListener("weft-" + type, async ({ detail: { state, status, response } }) => {
        heard.push({ type, state, status, text: response === null ? "" : await response.text() });
      });
    }
    globalThis.attached = attachUploadProgress(form, ${options});
  })()`);
}

/** Chooses a file of some bytes, sends the form and waits until it is over. */
async function send(page: Page, bytes: number): Promise<Heard[]> {
  const folder = await Deno.makeTempDir();
  await page.setInputFiles("[type=file]", await makeFile(folder, { name: "film.bin", bytes }));
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".weft-upload:is([data-state=done], [data-state=error], [data-state=aborted])").waitFor();
  await Deno.remove(folder, { recursive: true });
  return await page.evaluate("heard") as Heard[];
}

interface Served {
  /** Answers what is posted. */
  upload: Handler;
  /** Answers a poll for progress, before it would be told. */
  poll?: (request: Request) => Response | null;
  lang?: string;
}

function clientTest(name: string, served: Served, run: (page: Page) => Promise<void>): void {
  Deno.test({ name, ignore: browser === null, sanitizeOps: false, sanitizeResources: false }, async () => {
    using uploads = new Uploads();
    const told = uploadProgress((request: Request, info) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/upload") return served.upload(request, info);
      if (pathname === "/client.js") return new Response(client, { headers: { "content-type": "text/javascript" } });
      return page(served.lang ?? "en");
    }, { uploads }) as Handler;
    const handler: Handler = (request, info) =>
      (request.method === "GET" && request.url.includes("progress_id") ? served.poll?.(request) : null) ??
        told(request, info);
    await using server = serving(handler);
    try {
      await run(await browser!().open(server.url));
    } finally {
      await browser!().closeAll();
    }
  });
}

/** Reads a body of which it takes its time. */
async function takeSlowly(request: Request): Promise<Response> {
  const form = await request.formData();
  return new Response(`${form.get("note")}, ${(form.get("file") as File).size} bytes`);
}

clientTest(
  "The form is sent with all its fields, and its events tell the answer",
  { upload: takeSlowly },
  async (page) => {
    await attach(page);
    const heard = await send(page, 5_000_000);
    assert.equal(itemAt(heard, 0).type, "start");
    assert.deepEqual(heard.at(-1), { type: "done", state: "done", status: 200, text: "warp and weft, 5000000 bytes" });
    assert.equal(await page.getByRole("progressbar", { name: "film.bin" }).getAttribute("aria-valuenow"), "100");
  },
);

clientTest("A server that tells no events is asked instead", {
  upload: async (request) => {
    for await (const _ of request.body!) await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response("taken");
  },
  poll: ({ headers }) => headers.get("accept")!.includes("event-stream") ? new Response(null, { status: 406 }) : null,
}, async (page) => {
  await attach(page);
  const heard = await send(page, 5_000_000);
  assert.ok(heard.some(({ type }) => type === "progress"));
  assert.equal(heard.at(-1)!.type, "done");
});

clientTest("A server that tells nothing leaves a bar without a value, and the answer ends it", {
  upload: async (request) => {
    await request.bytes();
    return await new Promise((resolve) => finish = () => resolve(new Response("taken")));
  },
  poll: () => new Response("what?", { status: 404 }),
}, async (page) => {
  await attach(page);
  const sent = send(page, 1000);
  const bar = page.getByRole("progressbar");
  await bar.waitFor();
  await page.waitForResponse((response) => response.url().includes("progress_id") && response.status() === 404);
  assert.equal(await bar.getAttribute("aria-valuenow"), null);
  assert.equal(await bar.getAttribute("aria-valuetext"), "Starting");
  finish();
  assert.deepEqual((await sent).map(({ type }) => type), ["start", "done"]);
  await page.getByText("Arrived", { exact: true }).waitFor();
});
let finish = () => {};

clientTest("An upload that is refused before it has come says so", {
  upload: () => new Response("too much\n", { status: 413 }),
}, async (page) => {
  await attach(page);
  const last = (await send(page, 30_000_000)).at(-1)!;
  assert.equal(last.type, "error");
  assert.equal(last.status, 413);
  await page.getByText("Failed: the server answered 413", { exact: true }).waitFor();
});

clientTest(
  "It speaks other languages, and writes numbers as they do",
  { upload: takeSlowly, lang: "de" },
  async (page) => {
    await attach(page, `{ texts: { done: ({ received }) => received + " angekommen", remove: "Entfernen" } }`);
    await send(page, 1_500_000);
    await page.getByText("1,5 MB angekommen", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Entfernen: film.bin" }).click();
    await page.locator(".weft-upload").waitFor({ state: "detached" });
  },
);

clientTest("A form that is detached posts as any form does", { upload: takeSlowly }, async (page) => {
  await attach(page);
  await page.evaluate("attached.detach()");
  assert.equal(await page.locator(".weft-uploads").count(), 0);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("warp and weft, 0 bytes").waitFor();
});

clientTest("A form that posts something else is refused", { upload: takeSlowly }, async (page) => {
  await page.evaluate(`document.querySelector("form").enctype = "text/plain"`);
  await assert.rejects(attach(page), /attachUploadProgress: expected a form with method=post/);
});
