// How a WebSocket behaves towards its application: the object, its events, what it sends, and what it refuses.

import assert from "node:assert/strict";
import { OPCODE } from "../../src/wire/websocket_codes.ts";
import { certificates } from "../helpers/certificates.ts";
import { denoTest, isOnNode } from "../helpers/deno_test.ts";
import { text } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";
import { nextUncaught } from "../helpers/uncaught.ts";
import { Chatter, closing, frame, RawSocket } from "../helpers/web_sockets.ts";

type Use = (socket: WebSocket) => void;

/** Serves sockets that are used so. Gives the server's end of the first one. */
function using(use: Use, options: Deno.UpgradeWebSocketOptions & { compress?: boolean } = {}) {
  const first = Promise.withResolvers<WebSocket>();
  const server = serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    use(socket);
    first.resolve(socket);
    return response;
  });
  return { server, socket: first.promise };
}

const echo: Use = (socket) => {
  socket.onmessage = ({ data }) => socket.send(data);
};

Deno.test("The socket of a server passes for the runtime's own, and looks like it", async () => {
  const { server, socket: promise } = using(echo);
  await using chatter = await Chatter.to(server.url);
  const socket = await promise;
  assert.ok(socket instanceof EventTarget);
  assert.equal(Object.prototype.toString.call(socket), "[object WebSocket]");
  assert.equal(socket.constructor.name, "WebSocket");
  assert.equal((socket.constructor as typeof WebSocket).CLOSED, 3);
  // Node 20 has no such class.
  if (typeof WebSocket === "function") {
    assert.ok(socket instanceof WebSocket);
    assert.equal(socket.constructor, WebSocket);
  }
  const { url, protocol, extensions, binaryType, bufferedAmount, readyState, OPEN } = socket;
  assert.deepEqual(
    { url, protocol, extensions, binaryType, bufferedAmount, readyState, OPEN },
    { url: "", protocol: "", extensions: "", binaryType: "arraybuffer", bufferedAmount: 0, readyState: 1, OPEN: 1 },
  );
  // Node shows no more of its own.
  assert.match(Deno.inspect(socket), isOnNode ? /^WebSocket \{\}$/ : /^WebSocket \{\n {2}url: "",\n {2}readyState: 1,/);
  assert.equal(chatter.socket.readyState, chatter.socket.OPEN);
  await using _server = server;
});

Deno.test("A message event is a MessageEvent, for one listener and for many", async () => {
  const seen: MessageEvent[] = [];
  const order: string[] = [];
  const { server } = using((socket) => {
    socket.onmessage = (event) => {
      order.push("handler");
      seen.push(event);
      assert.equal(event.target, socket);
      assert.equal(event.currentTarget, socket);
      assert.deepEqual(event.composedPath(), [socket]);
      assert.equal(event.eventPhase, Event.AT_TARGET);
      if (event.data !== "more") return socket.send("heard");
      socket.addEventListener("message", () => order.push("listener"));
      socket.addEventListener("message", { handleEvent: () => void order.push("object") });
      socket.addEventListener("message", () => order.push("once"), { once: true });
      socket.send("heard");
    };
  });
  await using _server = server;
  await using chatter = await Chatter.to(server.url);
  for (const message of ["one", "more", "all", "again"]) {
    chatter.socket.send(message);
    await chatter.next();
  }
  assert.deepEqual(order.slice(0, 6), ["handler", "handler", "handler", "listener", "object", "once"]);
  assert.deepEqual(order.slice(6), ["handler", "listener", "object"]);
  for (const event of seen) {
    assert.ok(event instanceof MessageEvent);
    const { type, origin, lastEventId, source, isTrusted, bubbles, cancelable, defaultPrevented, currentTarget } =
      event;
    assert.deepEqual(
      { type, origin, lastEventId, source, isTrusted, bubbles, cancelable, defaultPrevented, currentTarget },
      {
        type: "message",
        origin: "",
        lastEventId: "",
        source: null,
        isTrusted: true,
        bubbles: false,
        cancelable: false,
        defaultPrevented: false,
        currentTarget: null,
      },
    );
    assert.deepEqual(event.ports, []);
  }
  // It can be dispatched elsewhere, which needs the runtime's own event.
  const other = new EventTarget();
  const again = Promise.withResolvers<Event>();
  other.addEventListener("message", again.resolve);
  other.dispatchEvent(seen[0]!);
  assert.equal((await again.promise as MessageEvent).data, "one");
});

for (const listens of [false, true]) {
  const how = listens ? "with a listener beside them" : "alone";
  Deno.test(`Handlers ${how} are called for every event, with the socket as its target`, async () => {
    const seen: [string, boolean, boolean][] = [];
    const over = Promise.withResolvers<void>();
    const { server } = using((socket) => {
      if (listens) socket.addEventListener("close", () => {});
      const note = function (this: unknown, event: Event) {
        // Node forgets currentTarget after the first of several listeners.
        const isForgotten = isOnNode && listens && event.currentTarget === null;
        const isTarget = event.target === socket && (event.currentTarget === socket || isForgotten);
        seen.push([event.type, isTarget, this === socket]);
        if (event.type === "close") over.resolve();
      };
      socket.onopen =
        socket.onmessage =
        socket.onerror =
        socket.onclose =
          note;
    });
    await using _server = server;
    using raw = await RawSocket.connect(server.server.addr, { more: frame({ payload: "hi" }) });
    await raw.client.send(frame({ opcode: 5 }));
    await over.promise;
    assert.deepEqual(seen, ["open", "message", "error", "close"].map((type) => [type, true, true]));
  });
}

Deno.test("An event of the application's own reaches handlers and listeners", async () => {
  const { server, socket: promise } = using(() => {});
  await using _server = server;
  await using _chatter = await Chatter.to(server.url);
  const socket = await promise;
  const heard: string[] = [];
  socket.onmessage = ({ data }) => heard.push(`handler ${data}`);
  socket.dispatchEvent(new MessageEvent("message", { data: 1 }));
  socket.addEventListener("mine", () => heard.push("listener"));
  socket.dispatchEvent(new Event("mine"));
  socket.onmessage = null;
  socket.dispatchEvent(new MessageEvent("message", { data: 2 }));
  assert.deepEqual(heard, ["handler 1", "listener"]);
});

Deno.test("Listeners are removed, and a handler is replaced", async () => {
  const heard: string[] = [];
  const { server } = using((socket) => {
    const listener = () => heard.push("listener");
    socket.addEventListener("message", listener);
    socket.onmessage = () => heard.push("first");
    socket.onmessage = () => {
      heard.push("second");
      socket.removeEventListener("message", listener);
      socket.send("");
    };
    assert.equal(typeof socket.onmessage, "function");
    assert.equal(socket.onopen, null);
  });
  await using _server = server;
  await using chatter = await Chatter.to(server.url);
  for (const message of ["a", "b"]) {
    chatter.socket.send(message);
    await chatter.next();
  }
  assert.deepEqual(heard, ["listener", "second", "second"]);
});

Deno.test("What a handler throws is reported as an error of the process, and the socket goes on", async () => {
  const reported = nextUncaught();
  const { server } = using((socket) => {
    socket.onmessage = ({ data }) => {
      if (data === "bad") throw new Error("a bug");
      socket.send(data);
    };
  });
  await using _server = server;
  await using chatter = await Chatter.to(server.url);
  chatter.socket.send("bad");
  chatter.socket.send("good");
  assert.equal(await chatter.next(), "good");
  assert.match(String(await reported), /a bug/);
});

Deno.test("Everything that can be sent is sent, and a Blob keeps its place", async () => {
  const { server } = using((socket) => {
    socket.onmessage = () => {
      const bytes = Uint8Array.of(1, 2, 3, 4);
      socket.send("text");
      socket.send(new Blob(["blob ", "one"]));
      socket.send(bytes);
      bytes.fill(0); // What was sent is what it was then.
      socket.send(bytes.buffer);
      socket.send(new DataView(Uint8Array.of(9, 8, 7).buffer, 1, 1));
      socket.send(new Uint16Array([0x0102]));
      socket.send(new Blob([]));
      socket.send(12 as unknown as string);
      socket.close(3000, "after all");
    };
  });
  await using _server = server;
  const chatter = await Chatter.to(server.url);
  chatter.socket.send("go");
  assert.deepEqual(await chatter.ended, { code: 3000, reason: "after all", wasClean: true });
  const shown = chatter.messages.map((each) => typeof each === "string" ? each : [...new Uint8Array(each)]);
  const blob = [...new TextEncoder().encode("blob one")];
  assert.deepEqual(shown, ["text", blob, [1, 2, 3, 4], [0, 0, 0, 0], [8], [2, 1], [], "12"]);
});

Deno.test("A socket with the binary type blob gets Blobs, and ignores another type", async () => {
  const { server } = using((socket) => {
    socket.binaryType = "blob";
    socket.binaryType = "text" as BinaryType;
    socket.onmessage = ({ data }) => data.text().then((said: string) => socket.send(`${socket.binaryType} ${said}`));
  });
  await using _server = server;
  await using chatter = await Chatter.to(server.url);
  chatter.socket.send(new TextEncoder().encode("hi"));
  assert.equal(await chatter.next(), "blob hi");
});

Deno.test("A socket refuses what the standard refuses", async () => {
  const { server, socket: promise } = using((socket) => {
    assert.equal(socket.readyState, socket.CONNECTING);
    assert.throws(() => socket.send("early"), { name: "InvalidStateError" });
  });
  await using _server = server;
  const chatter = await Chatter.to(server.url);
  const socket = await promise;
  assert.throws(() => (socket.send as () => void)(), TypeError);
  assert.throws(() => socket.close(1005), { name: "InvalidAccessError" });
  assert.throws(() => socket.close(5000), { name: "InvalidAccessError" });
  assert.throws(() => socket.close(1000, "\u20ac".repeat(42)), { name: "SyntaxError" });
  socket.close(1011, "a server may say so");
  assert.equal(socket.readyState, socket.CLOSING);
  socket.send("late");
  socket.close();
  assert.deepEqual(await chatter.ended, { code: 1011, reason: "a server may say so", wasClean: true });
  assert.deepEqual(chatter.messages, []);
});

Deno.test("What is sent in one go goes out in one write, and is counted until the system has it", async () => {
  const amounts: number[] = [];
  const { server } = using((socket) => {
    socket.onmessage = () => {
      for (let i = 0; i < 100; i++) socket.send("\u00e9".repeat(50));
      amounts.push(socket.bufferedAmount);
      socket.send(new Blob(["12345"]));
      amounts.push(socket.bufferedAmount);
      socket.send("\u20ac");
      amounts.push(socket.bufferedAmount);
    };
  });
  await using _server = server;
  await using chatter = await Chatter.to(server.url);
  chatter.socket.send("go");
  for (let i = 0; i < 102; i++) await chatter.next();
  assert.deepEqual(amounts, [10_000, 10_005, 10_008]);
});

/** What a client of bytes does wrong, and the code that it is told. */
const WRONG: readonly [what: string, bytes: Uint8Array, code: number][] = [
  ["sends a frame without a mask", frame({ mask: null }), 1002],
  ["sets a reserved bit", frame({ flags: 0xc0 }), 1002],
  ["sends an unknown opcode", frame({ opcode: 5 }), 1002],
  ["sends text that is not UTF-8", frame({ payload: Uint8Array.of(0xff) }), 1007],
  ["closes with a code that cannot be sent", frame({ opcode: OPCODE.close, payload: closing(1006) }), 1002],
  ["sends a message that is too long", frame({ payload: "", length: 2 ** 40 }), 1009],
];

for (const [what, bytes, code] of WRONG) {
  Deno.test(`A client that ${what} is told ${code}, and the application too`, async () => {
    const told: unknown[] = [];
    const { server, socket } = using((socket) => {
      echo(socket);
      socket.onerror = (event) => told.push(event.type, socket.readyState);
      socket.onclose = ({ code, wasClean }) => told.push(code, wasClean);
    });
    await using _server = server;
    using raw = await RawSocket.connect(server.server.addr, { more: frame({ payload: "before" }) });
    await raw.client.send(bytes);
    await raw.client.send(frame({ payload: "after" }));
    const frames = await raw.untilEnd();
    assert.deepEqual(frames.map(({ opcode }) => opcode), [OPCODE.text, OPCODE.close]);
    const [high = 0, low = 0] = frames[1]?.payload ?? [];
    assert.equal(high << 8 | low, code);
    assert.equal(raw.client.wasReset, false, "the Close frame must not be lost in a reset");
    assert.deepEqual(told, ["error", 3, code, false]);
    assert.equal((await socket).readyState, 3);
    await using chatter = await Chatter.to(server.url);
    chatter.socket.send("still there");
    assert.equal(await chatter.next(), "still there");
  });
}

Deno.test("Pings are answered in order, between fragments too, and bytes that came with the handshake count", async () => {
  const { server } = using(echo);
  await using _server = server;
  const more = [
    frame({ payload: "He", flags: 0 }),
    frame({ opcode: OPCODE.ping, payload: "one" }),
    frame({ opcode: OPCODE.pong, payload: "unasked" }),
    frame({ opcode: OPCODE.ping, payload: "two" }),
    frame({ opcode: OPCODE.continuation, payload: "llo" }),
  ];
  using raw = await RawSocket.connect(server.server.addr, { more: Uint8Array.from(more.flatMap((part) => [...part])) });
  const frames = await raw.until(3);
  assert.deepEqual(frames.map(({ opcode, payload }) => [opcode, text(payload)]), [
    [OPCODE.pong, "one"],
    [OPCODE.pong, "two"],
    [OPCODE.text, "Hello"],
  ]);
});

denoTest("A WebSocket over TLS is the same", async () => {
  const { ca, cert, key } = await certificates();
  await using server = serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    echo(socket);
    return response;
  }, { cert, key });
  const { addr } = server.server;
  if (addr.transport !== "tcp") throw new Error("not reached");
  using client = Deno.createHttpClient({ caCerts: [ca] });
  const socket = new WebSocket(`wss://localhost:${addr.port}/`, { client });
  const heard = Promise.withResolvers<MessageEvent>();
  const ended = Promise.withResolvers<CloseEvent>();
  socket.onopen = () => socket.send("x".repeat(100_000));
  socket.onmessage = heard.resolve;
  socket.onclose = ended.resolve;
  assert.equal((await heard.promise).data.length, 100_000);
  socket.close(1000);
  assert.equal((await ended.promise).wasClean, true);
});

Deno.test("An open socket takes no place of the requests in flight, and the compression of answers leaves it alone", async () => {
  await using server = serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    echo(socket);
    return response;
  }, { compress: true, maxInFlight: 1 });
  await using first = await Chatter.to(server.url);
  await using second = await Chatter.to(server.url);
  for (const chatter of [first, second]) {
    chatter.socket.send("x".repeat(5_000));
    assert.equal(String(await chatter.next()).length, 5_000);
  }
});

Deno.test("A client that leaves without a word ends its socket with 1006", async () => {
  const told = Promise.withResolvers<CloseEvent>();
  const { server } = using((socket) => {
    echo(socket);
    socket.onclose = told.resolve;
  });
  await using _server = server;
  const raw = await RawSocket.connect(server.server.addr);
  raw.client.close();
  const { code, wasClean } = await told.promise;
  assert.deepEqual({ code, wasClean }, { code: 1006, wasClean: false });
});

Deno.test("A socket that is closed before it opens never opens, and its client is told the code", async () => {
  const seen: unknown[] = [];
  const over = Promise.withResolvers<void>();
  const { server } = using((socket) => {
    for (const type of ["open", "close"]) socket.addEventListener(type, () => seen.push(type));
    socket.addEventListener("close", () => over.resolve());
    socket.close(4000, "early");
    seen.push(socket.readyState);
    socket.send("thrown away");
  });
  await using _server = server;
  const chatter = await Chatter.to(server.url);
  assert.deepEqual(await chatter.ended, { code: 4000, reason: "early", wasClean: true });
  assert.deepEqual(chatter.messages, []);
  await over.promise;
  assert.deepEqual(seen, [2, "close"]);
});
