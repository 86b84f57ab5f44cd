// A Hono application from npm: deno run -A mod.ts examples/hono.ts

import { Hono } from "npm:hono@^4";

const app = new Hono();

app.get("/", (c) => c.text("hello from Hono\n"));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), agent: c.req.header("user-agent") ?? null }));
app.post("/echo", async (c) => c.json(await c.req.json()));

export default app;
