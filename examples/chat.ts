// A chat with two rooms over WebSockets, with Hono: deno run -A mod.ts examples/chat.ts
// The same file runs under Deno.serve: deno serve -A examples/chat.ts

import { Hono } from "npm:hono@^4";
import { upgradeWebSocket } from "npm:hono@^4/deno";
import type { WSContext } from "npm:hono@^4/ws";

const rooms = new Map<string, Set<WSContext>>([["warp", new Set()], ["weft", new Set()]]);

const page = `<!doctype html>
<meta charset="utf-8">
<title>Chat</title>
<style>body { font: 1rem system-ui; max-width: 40rem; margin: 2rem auto } #log { min-height: 10rem }</style>
<h1>Chat</h1>
<label>Room <select id="room"><option>warp<option>weft</select></label>
<div id="log" role="log"></div>
<form id="form"><label>Message <input id="text" autocomplete="off" required></label> <button>Send</button></form>
<script type="module">
  const [log, room, form, text] = ["log", "room", "form", "text"].map((id) => document.getElementById(id));
  const show = (line) => log.append(Object.assign(document.createElement("p"), { textContent: line }));
  let socket;
  function connect() {
    const own = socket = new WebSocket(location.href.replace(/^http/, "ws") + "rooms/" + room.value);
    own.onmessage = ({ data }) => show(data);
    // 1012: the server was reloaded. A moment later the new one takes the connection.
    own.onclose = ({ code }) => own === socket && setTimeout(connect, code === 1012 ? Math.random() * 500 : 2000);
  }
  room.onchange = () => {
    socket.close();
    log.replaceChildren();
    connect();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    socket.send(text.value);
    text.value = "";
  };
  connect();
</script>
`;

const app = new Hono();

app.get("/", (context) => context.html(page));

app.get(
  "/rooms/:room",
  async (context, next) => rooms.has(context.req.param("room")) ? await next() : context.text("no such room\n", 404),
  upgradeWebSocket((context) => {
    const members = rooms.get(context.req.param("room") ?? "") ?? new Set();
    const tell = (text: string) => {
      for (const member of members) member.send(text);
    };
    return {
      onOpen(_event, socket) {
        members.add(socket);
        tell(`${members.size} in this room`);
      },
      onMessage: ({ data }) => tell(String(data)),
      onClose: (_event, socket) => void members.delete(socket),
    };
  }),
);

export default app;
