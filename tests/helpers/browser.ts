// Knows: how to drive the browser of the system, collect what it complains of, and keep pictures of what it showed.
// Does not know: any page.

import { type Browser, type BrowserContextOptions, chromium, type Page } from "npm:playwright-core@1";

/** Chromium, under the names that it has in distributions. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** What keeps a browser in a test from asking for anything but the test's pages. */
const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser for the length of a test. */
export interface Browsing extends AsyncDisposable {
  /** Errors and warnings of every page, whether in its console or uncaught. */
  readonly complaints: string[];
  /** Opens a page in a profile of its own. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
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
  const browser: Browser = await chromium.launch({ executablePath: path, args: ARGS });
  const complaints: string[] = [];
  return {
    complaints,
    async open(url, options) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
      });
      await page.goto(url);
      return page;
    },
    async keep(page, name) {
      folder ??= await artefacts();
      await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
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
