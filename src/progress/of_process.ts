// Knows: what the program and the uploads of its process have to tell each other.
// Does not know: either of them.
// Rule: the program does not load what follows uploads for an application that follows none.

import type { ProgressStore } from "./progress.ts";
import type { Uploads } from "./uploads.ts";

/** The program fills in the first, and whoever loads them the second. */
export const ofProcess: {
  /** Where the uploads of this process tell other processes how far they are. */
  store: ProgressStore | null;
  /** The uploads of this process; null while nobody has loaded what follows them. */
  uploads: Uploads | null;
} = { store: null, uploads: null };
