// How a load's process is started: a port and a load as JSON; it prints lines of JSON (reports.ts).
// Whatever goes wrong ends as a result with errors, never as silence.

import { download, upload, uploads } from "./bodies.ts";
import { events, idle } from "./connections.ts";
import { fresh } from "./fresh.ts";
import { gets } from "./gets.ts";
import { gatherErrors, type LoadResult, type OwnLoad, sayResult } from "./reports.ts";

const port = Number(Deno.args[0]);
const load: OwnLoad = JSON.parse(Deno.args[1]);
try {
  sayResult(await run(load));
} catch (error) {
  sayResult({ done: 0, seconds: 0, errors: gatherErrors([error]) });
}
Deno.exit(0); // clients may still wait for a server that says no more

function run(load: OwnLoad): Promise<LoadResult> {
  switch (load.kind) {
    case "upload":
      return upload(port, load.bytes);
    case "download":
      return download(port, load.bytes);
    case "events":
      return events(port, load.clients, load.milliseconds);
    case "idle":
      return idle(port, load.connections);
    case "uploads":
      return uploads(port, load.connections);
    case "gets":
      return gets(port, load);
    case "fresh":
      return fresh(port, load.connections, load.milliseconds);
  }
}
