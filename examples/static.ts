// Serves the files of a directory: deno run -A mod.ts examples/static.ts -- DIRECTORY
// @std/http comes from JSR; the imports in deno.json name it.

import { serveDir } from "@std/http/file-server";

const [fsRoot = "."] = Deno.args;

export default {
  fetch(request: Request): Promise<Response> {
    return serveDir(request, { fsRoot, quiet: true });
  },
};
