// The plain application as a module for Weft's program. Does not know: what is measured.
// It loads what the launchers beside it load, so that starts compare.

import { type Handler, handlerOf } from "./handlers.ts";

const handler = await handlerOf("plain", () => import("npm:hono@^4"));
const app: { fetch: Handler } = { fetch: handler };
export default app;
