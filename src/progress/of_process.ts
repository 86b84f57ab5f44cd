// Connects the program with the uploads of its process.
// If an application follows no uploads, the program does not load what follows them.

import { shared } from "../copies/shared.ts";
import type { ProgressStore } from "./progress.ts";
import type { Uploads } from "./uploads.ts";

/** The program sets `store`; the module that follows uploads sets `uploads` when it is loaded. */
export const ofProcess: {
  /** The store that tells other processes how far the uploads of this process are. */
  store: ProgressStore | null;
  /** The uploads of this process; null until the module that follows them is loaded. */
  uploads: Uploads | null;
} = shared("uploads", () => ({ store: null, uploads: null }));
