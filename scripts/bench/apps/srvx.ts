// Starts srvx on Node. With `fast` as the third argument, srvx's own Response replaces Node's, as srvx recommends.

import process from "node:process";
import { FastResponse, serve } from "npm:srvx@^1";
import type { AppName } from "./answers.ts";
import { handlerOf } from "./handlers.ts";

const [app, port, fast] = process.argv.slice(2);
if (fast === "fast") globalThis.Response = FastResponse;
const handler = await handlerOf(app as AppName, () => import("npm:hono@^4"));
serve({ hostname: "127.0.0.1", port: Number(port), silent: true, fetch: handler });
