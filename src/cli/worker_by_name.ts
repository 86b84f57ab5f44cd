// The main module of a worker whose permissions name the files that it may read.
//
// Deno lets a process load, without a permission, the modules that the graph of its main module names, also those that only a
// dynamic import names. An application may import Weft as a library, so this main module names mod.ts. To read that larger
// graph takes time at each start. A worker that may read every file starts with worker.ts alone.
//
// The imports form a circle here, the only one: mod.ts -> main.ts -> run_supervisor.ts -> worker_by_name.ts -> mod.ts. All of
// them are dynamic, and the functions that hold the last two are never called. They only name modules for the graph: this
// module for `deno cache`, and mod.ts for the permission. So no module waits for itself while it loads.

import "./worker.ts";

/** Never called. It names mod.ts for the graph of this main module. */
export const known = () => import("../../mod.ts");
