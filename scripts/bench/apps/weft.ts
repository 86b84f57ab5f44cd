// How Weft is started. Does not know: what is measured. Rule: library defaults, as a user would have them.

import { serve } from "../../../mod.ts";
import type { AppName } from "./answers.ts";
import { handlerOf } from "./handlers.ts";

const [app, port] = Deno.args;
const handler = await handlerOf(app as AppName, () => import("npm:hono@^4"));
serve({ hostname: "127.0.0.1", port: Number(port), onListen() {} }, handler);
