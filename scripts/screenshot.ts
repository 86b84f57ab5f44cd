// How the picture of the demo in the README is made: deno run -A scripts/screenshot.ts

import { browse, findBrowser, makeFile } from "../tests/helpers/browser.ts";
import { fromFileUrl } from "../tests/helpers/paths.ts";
import { servingDemo } from "../tests/helpers/serving_demo.ts";

const PICTURE = fromFileUrl(new URL("../.github/assets/demo.png", import.meta.url));
/** A clone of the project loads the picture too, and so does a reader of its README. */
const MAX_BYTES = 200_000;
const WIDTH = 1280;
/** Less than there is between two sections. */
const MARGIN = 18;

const MB = 1_000_000;
/** The file whose progress says when to take the picture. */
const FILM = "holiday film.mov";

/** At the demo's 10 MB/s the first is over and the others are on their way when the picture is taken. */
const FILES = [
  { name: FILM, bytes: 160 * MB },
  { name: "loom pattern.zip", bytes: 105 * MB },
  { name: "draft.pdf", bytes: 9 * MB },
];

const path = await findBrowser();
if (path === null) Deno.exit(1);
const folder = await Deno.makeTempDir();
try {
  await using served = servingDemo();
  await using browsing = await browse(path);
  const page = await browsing.open(served.url, { viewport: { width: WIDTH, height: 1400 }, colorScheme: "light" });
  await page.setInputFiles("#files", await Promise.all(FILES.map((file) => makeFile(folder, file))));
  const film = page.getByRole("group", { name: FILM });
  await film.getByText(/^5\d\.\d MB of/).waitFor();
  await page.getByRole("button", { name: "Start" }).click();
  await page.mouse.move(0, 0);
  await film.getByText(/^9\d\.\d MB of/).waitFor();
  const table = await page.locator(".connections").boundingBox();
  await Deno.mkdir(fromFileUrl(new URL("../.github/assets/", import.meta.url)), { recursive: true });
  const clip = { x: 0, y: 0, width: WIDTH, height: Math.round(table!.y + table!.height + MARGIN) };
  await page.screenshot({ path: PICTURE, clip, animations: "disabled" });
  const complaints = await browsing.closeAll();
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
} finally {
  await Deno.remove(folder, { recursive: true });
}
const { size } = await Deno.stat(PICTURE);
if (size > MAX_BYTES) throw new Error(`the picture has ${size} bytes, more than ${MAX_BYTES}`);
console.log(`${PICTURE}: ${size} bytes`);
// The driver of the browser would keep the process alive.
Deno.exit(0);
