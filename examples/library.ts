// Weft as a library, without its program: deno run -A examples/library.ts

import { serve } from "../mod.ts";

const server = serve({ port: 8000, hostname: "127.0.0.1", headerTimeoutMs: 5_000 }, (request, info) => {
  const { remoteAddr } = info;
  const client = remoteAddr.transport === "tcp" ? remoteAddr.hostname : "a Unix socket";
  return new Response(`${request.method} ${request.url} from ${client}\n`);
});

Deno.addSignalListener("SIGINT", () => server.shutdown());
await server.finished;
