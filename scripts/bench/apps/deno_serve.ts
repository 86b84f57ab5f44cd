// How Deno.serve is started. Does not know: what is measured. Rule: defaults, as a user would have them.

import type { AppName } from "./answers.ts";
import { handlerOf } from "./handlers.ts";

const [app, port] = Deno.args;
const handler = await handlerOf(app as AppName, () => import("npm:hono@^4"));
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen() {} }, handler);
