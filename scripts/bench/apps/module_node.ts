// The applications as a module for Weft's program on Node: the first argument says which one.
// It loads what the launchers in this directory load, so that starts can be compared.

import process from "node:process";
import type { AppName } from "./answers.ts";
import { type Handler, handlerOf } from "./handlers.ts";

const handler = await handlerOf(process.argv[2] as AppName, () => import("npm:hono@^4"));
const app: { fetch: Handler } = { fetch: handler };
export default app;
