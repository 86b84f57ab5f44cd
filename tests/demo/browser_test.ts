// The demo as a person meets it: in a browser, with a mouse, on a phone, in the dark, without script.

import assert from "node:assert/strict";
import type { Locator, Page } from "npm:playwright-core@1";
import { browserForTests, type Browsing, makeFile } from "../helpers/browser.ts";
import { start } from "../helpers/program.ts";
import { type ServingDemo, servingDemo } from "../helpers/serving_demo.ts";
import { contrasts } from "./contrasts.ts";

const MIB = 1024 ** 2;
const browser = await browserForTests();

/** What a test works with. */
interface Scene {
  browsing: Browsing;
  served: ServingDemo;
  /** A folder for files to upload. */
  folder: string;
}

/** The line below a bar. */
function detail(page: Page, hasText: string | RegExp): Locator {
  return page.locator(".weft-upload-detail", { hasText });
}

function browserTest(name: string, run: (scene: Scene) => Promise<void>): void {
  // The driver of the browser keeps timers and pipes beyond a test.
  Deno.test({ name, ignore: browser === null, sanitizeOps: false, sanitizeResources: false }, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await using served = servingDemo();
      const browsing = browser!();
      let complaints: string[];
      try {
        await run({ browsing, served, folder });
      } finally {
        complaints = await browsing.closeAll();
      }
      assert.deepEqual(complaints, []);
      assert.deepEqual(served.lines, [], "the server has nothing to complain of either");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

browserTest(
  "An upload of 50 MiB is watched to its end while a stream runs, and the table shows both",
  async (scene) => {
    const { browsing, served, folder } = scene;
    const page = await browsing.open(served.url);
    assert.equal(await page.locator("#upload button").count(), 0, "with script, choosing is uploading");
    await page.setInputFiles("#files", await makeFile(folder, { name: "film.bin", bytes: 50 * MIB }));
    const bar = page.getByRole("progressbar", { name: "film.bin" });
    await bar.waitFor();
    await page.evaluate(`{
    const bar = document.querySelector("[role=progressbar]");
    globalThis.values = [];
    new MutationObserver(() => values.push(Number(bar.getAttribute("aria-valuenow"))))
      .observe(bar, { attributeFilter: ["aria-valuenow"] });
  }`);
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#lines", { hasText: "line 3 of 50" }).waitFor();
    const rows = page.locator("#connections tr");
    await rows.filter({ hasText: "POST /upload" }).and(page.locator("[data-phase=dispatch]")).waitFor();
    await rows.filter({ hasText: "GET /stream" }).and(page.locator("[data-phase=write]")).waitFor();
    await rows.filter({ hasText: "GET /state" }).and(page.locator("[data-phase=write]")).waitFor();
    await detail(page, /of 52\.4 MB, \d+\.\d MB\/s, \d sec left/).waitFor();
    await browsing.keep(page, "uploading");

    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("#stream-status", { hasText: "stopped" }).waitFor();
    await rows.filter({ hasText: "GET /stream" }).waitFor({ state: "detached" });

    await detail(page, "52.4 MB arrived").waitFor();
    assert.equal(await bar.getAttribute("aria-valuenow"), "100");
    assert.equal(await bar.getAttribute("aria-valuetext"), "52.4 MB arrived");
    const values = await page.evaluate("values") as number[];
    assert.ok(new Set(values).size >= 5, `the bar moved ${values.length} times`);
    assert.deepEqual(values, values.toSorted((a, b) => a - b), "it never goes back");
    await page.getByRole("status").filter({ hasText: "film.bin: 52.4 MB arrived" }).waitFor();
    await browsing.keep(page, "arrived");
  },
);

browserTest(
  "An upload is cancelled, and the page and the server agree on it; the focus stays in place",
  async (scene) => {
    const { browsing, served, folder } = scene;
    const page = await browsing.open(served.url);
    await page.selectOption("#rate", "10 MB/s");
    await page.setInputFiles("#files", await makeFile(folder, { name: "film.bin", bytes: 50 * MIB }));
    await detail(page, /of 52\.4 MB/).waitFor();
    await page.getByRole("button", { name: "Cancel: film.bin" }).focus();
    await page.keyboard.press("Enter");
    await detail(page, "Cancelled").waitFor();
    await browsing.keep(page, "cancelled");
    const id = (await page.locator(".weft-upload-name").getAttribute("id"))!.slice("weft-".length);
    let last = "";
    for await (const { state } of served.uploads.progressChanges(id)) last = state;
    assert.equal(last, "aborted");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Remove");
    await page.keyboard.press("Enter");
    await page.locator(".weft-upload").waitFor({ state: "detached" });
    assert.equal(await page.evaluate("document.activeElement.id"), "files");
  },
);

browserTest(
  "Several files are dropped: three upload at once, the others wait, and everything goes on",
  async (scene) => {
    const { browsing, served } = scene;
    const page = await browsing.open(served.url);
    // Slow enough that what happens at once is seen at once on a busy machine.
    await page.selectOption("#rate", "1 MB/s");
    await page.getByRole("button", { name: "Start" }).click();
    const dataTransfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const name of ["warp.bin", "weft.bin", "loom.bin", "reed.bin"]) {
      transfer.items.add(new File([new Uint8Array(5e6)], name));
    }
    return transfer;
  })()`);
    await page.dispatchEvent("#drop", "dragover", { dataTransfer });
    await page.locator("#drop.over").waitFor();
    await page.dispatchEvent("#drop", "drop", { dataTransfer });
    await page.locator(".weft-upload[data-state=uploading]").nth(2).waitFor();
    await detail(page, "Waiting for its turn").waitFor();
    // Six connections are all that a browser opens: the table, the stream, three uploads, and one that asks for them.
    await page.locator("#connections tr", { hasText: "POST /upload" }).nth(2).waitFor();
    await browsing.keep(page, "dropped");
    for (const name of ["warp.bin", "weft.bin", "loom.bin", "reed.bin"]) {
      await page.getByRole("group", { name }).getByText("5.0 MB arrived").waitFor();
    }
    await page.locator("#stream-status", { hasText: "ended" }).waitFor();
  },
);

browserTest("The table is told only while somebody looks", async ({ browsing, served }) => {
  const page = await browsing.open(served.url);
  await page.locator("#connections tr", { hasText: "GET /state" }).waitFor();
  const hide = (isHidden: boolean) =>
    page.evaluate(`{
      Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }`);
  const isLeft = page.waitForEvent("requestfinished", (request) => request.url().endsWith("/state"));
  const isCut = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/state"));
  await hide(true);
  await Promise.any([isLeft, isCut]);
  const isAsked = page.waitForEvent("request", (request) => request.url().endsWith("/state"));
  await hide(false);
  await isAsked;
  await page.close();
});

browserTest("Without script the form posts, and a page tells what came", async ({ browsing, served, folder }) => {
  const page = await browsing.open(served.url, { javaScriptEnabled: false });
  await page.setInputFiles("#files", await makeFile(folder, { name: "film.bin", bytes: 2 * MIB }));
  await browsing.keep(page, "without_script");
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  await page.getByRole("heading", { name: "Upload arrived" }).waitFor();
  assert.match(await page.locator("p").first().textContent() ?? "", /read 2,097,\d{3} bytes/);
  await browsing.keep(page, "without_script_arrived");
  await page.getByRole("link").click();
  await page.getByRole("heading", { name: "Weft is running" }).waitFor();
});

for (const width of [360, 1600]) {
  for (const colorScheme of ["light", "dark"] as const) {
    browserTest(
      `The page fits into ${width} px and can be read, ${colorScheme}`,
      async ({ browsing, served, folder }) => {
        const viewport = { width, height: 900 };
        const page = await browsing.open(served.url, { viewport, colorScheme, reducedMotion: "reduce" });
        await page.setInputFiles(
          "#files",
          await makeFile(folder, { name: `${"long".repeat(20)}.bin`, bytes: 3 * MIB }),
        );
        await detail(page, "3.1 MB arrived").waitFor();
        await page.setInputFiles("#files", await makeFile(folder, { name: "film.bin", bytes: 50 * MIB }));
        await page.locator("#connections tr", { hasText: "POST /upload" }).waitFor();
        await detail(page, /of 52\.4 MB/).waitFor();
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width, "nothing overflows");
        assert.deepEqual((await contrasts(page)).filter(({ ratio }) => ratio < 4.5), []);
        await browsing.keep(page, `${width}_${colorScheme}`);
        await page.getByRole("button", { name: "Cancel: film.bin" }).click();
        await detail(page, "Cancelled").waitFor();
        assert.deepEqual((await contrasts(page)).filter(({ ratio }) => ratio < 4.5), []);
      },
    );
  }
}

/** One process, and a supervisor with two workers: the page does not see a difference. */
for (const args of [[], ["--max-proc", "3"]]) {
  const name = `The program serves it with ${args.join(" ") || "no flag"}: watched, seen in the table, and arrived`;
  browserTest(name, async ({ browsing, folder }) => {
    await using program = start(["-p", "0", ...args]);
    const page = await browsing.open(await program.url());
    await page.setInputFiles("#files", await makeFile(folder, { name: "film.bin", bytes: 20 * MIB }));
    await page.locator("#connections tr").filter({ hasText: "POST /upload" }).waitFor();
    await detail(page, /of 21\.0 MB, \d+\.\d MB\/s/).waitFor();
    await detail(page, "21.0 MB arrived").waitFor();
    // Before the program is killed, which would break the table off.
    await page.close();
  });
}
