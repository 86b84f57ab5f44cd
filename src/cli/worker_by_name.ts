// How a worker's process begins that may read only what is named.
// An application that imports Weft needs no permission to read what was known from the start; to know all of it
// takes time, and a worker that may read everything does not need it.

import "./worker.ts";

/** Never called. */
export const known = () => import("../../mod.ts");
