// How to drive the browser of the system, collect what it complains of, and keep pictures of what it showed.

import { type Browser, type BrowserContextOptions, chromium, type Page } from "npm:playwright-core@1";

/** Chromium, under the names that it has in distributions. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** A wait that takes longer has failed; a busy machine may well take half of it. */
const PATIENCE_MS = 60_000;

/** What keeps a browser in a test from asking for anything but the test's pages. */
const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser for the tests of a file. */
export interface Browsing extends AsyncDisposable {
  /** Opens a page in a profile of its own. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
  /** Closes every page, and tells what they complained of: errors and warnings, in a console or uncaught. */
  closeAll(): Promise<string[]>;
  /** Keeps a picture of the whole page. */
  keep(page: Page, name: string): Promise<void>;
}

/**
 * Finds a browser; a test that needs one is skipped with this reason otherwise.
 *
 * @returns its path, or null
 */
export async function findBrowser(): Promise<string | null> {
  if (Deno.build.os === "linux") {
    const command = NAMES.map((name) => `command -v ${name}`).join(" || ");
    const { success, stdout } = await new Deno.Command("sh", { args: ["-c", command] }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
  }
  console.log("skipped, there is no chromium on this machine; in Debian: apt-get install chromium");
  return null;
}

/**
 * Starts a browser without a window.
 *
 * @param path where it is
 * @returns the browser; it ends when it is disposed of
 */
export async function browse(path: string): Promise<Browsing> {
  const temporary = await Deno.makeTempDir();
  const executablePath = `${temporary}/browser`;
  // A browser takes every core that it finds. Other tests, which run beside this one and measure time, go first.
  await Deno.writeTextFile(executablePath, `#!/bin/sh\nexec nice -n 19 "${path}" "$@"\n`, { mode: 0o755 });
  const browser: Browser = await chromium.launch({ executablePath, args: ARGS });
  let complaints: string[] = [];
  return {
    async open(url, options) {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
      });
      await page.goto(url);
      return page;
    },
    async closeAll() {
      for (const context of browser.contexts()) await context.close();
      const said = complaints;
      complaints = [];
      return said;
    },
    async keep(page, name) {
      folder ??= await artefacts();
      await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await Deno.remove(temporary, { recursive: true });
    },
  };
}

let folder: string | null = null;

/** Where pictures are kept: never beside the source. */
async function artefacts(): Promise<string> {
  const named = Deno.env.get("WEFT_TEST_ARTEFACTS");
  const folder = named ?? await Deno.makeTempDir({ prefix: "weft_" });
  await Deno.mkdir(folder, { recursive: true });
  console.log(`pictures are in ${folder}`);
  return folder;
}

/**
 * Starts a browser before the first test of a file and ends it behind the last.
 *
 * @returns the browser, once a test runs; null if there is none, so that its tests are to be ignored
 */
export async function browserForTests(): Promise<(() => Browsing) | null> {
  const path = await findBrowser();
  if (path === null) return null;
  let browsing: Browsing | null = null;
  Deno.test.beforeAll(async () => {
    browsing = await browse(path);
  });
  Deno.test.afterAll(async () => await browsing?.[Symbol.asyncDispose]());
  return () => browsing!;
}

/**
 * Makes a file of zeros to upload; it takes no room on most disks.
 *
 * @param folder where
 * @param file its name and size
 * @returns its path
 */
export async function makeFile(folder: string, { name, bytes }: { name: string; bytes: number }): Promise<string> {
  const path = `${folder}/${name}`;
  using file = await Deno.open(path, { create: true, write: true });
  await file.truncate(bytes);
  return path;
}
