// Starts @hono/node-server on Node, with the defaults that a user would have. It does not know what is measured.

import process from "node:process";
import { serve } from "npm:@hono/node-server@^2";
import type { AppName } from "./answers.ts";
import { handlerOf } from "./handlers.ts";

const [app, port] = process.argv.slice(2);
const handler = await handlerOf(app as AppName, () => import("npm:hono@^4"));
serve({ hostname: "127.0.0.1", port: Number(port), fetch: handler });
