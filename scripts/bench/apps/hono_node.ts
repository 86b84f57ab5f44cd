// How @hono/node-server is started on Node. Does not know: what is measured. Rule: defaults, as a user would have them.

import process from "node:process";
import { serve } from "npm:@hono/node-server@^2";
import type { AppName } from "./answers.ts";
import { handlerOf } from "./handlers.ts";

const [app, port] = process.argv.slice(2);
const handler = await handlerOf(app as AppName, () => import("npm:hono@^4"));
serve({ hostname: "127.0.0.1", port: Number(port), fetch: handler });
