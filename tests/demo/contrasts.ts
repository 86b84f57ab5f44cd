// How well the texts of a page stand out from what is behind them (WCAG 2.2, success criterion 1.4.3).

import type { Page } from "npm:playwright-core@1";

/** A text and its contrast. */
export interface Contrast {
  text: string;
  ratio: number;
}

/** Runs in the page. Every ground of the demo is a plain colour, so the nearest one that is not transparent counts. */
const MEASURE = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    if (textContent.trim() === "" || !element.checkVisibility()) continue;
    const one = luminance(getComputedStyle(element).color);
    const other = luminance(groundOf(element));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    found.push({ text: textContent.trim(), ratio });
  }
  return found;
})()`;

/**
 * Measures every text that can be seen.
 *
 * @param page the page
 * @returns texts and their contrast
 */
export async function contrasts(page: Page): Promise<Contrast[]> {
  const found = await page.evaluate(MEASURE) as Contrast[];
  if (found.length < 20) throw new Error(`only ${found.length} texts were found`);
  return found;
}
