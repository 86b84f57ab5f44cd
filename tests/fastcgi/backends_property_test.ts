// The connections to a backend under random requests, failures and leavings: no permit is lost, and no request waits for ever.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import type { BackendConnection } from "../../src/fastcgi/backend_connection.ts";
import { BackendError } from "../../src/fastcgi/backend_error.ts";
import { Backends, type Turn } from "../../src/fastcgi/backends.ts";
import { ConnectBusy } from "../../src/platform/errors.ts";
import type { Address, Socket } from "../../src/platform/ports.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const ADDRESS: Address = { transport: "unix", path: "/app.sock" };
const MAX_CONNECTIONS = 3;
const MAX_WAITING = 4;

type Step =
  | { do: "take" }
  | { do: "connect"; how: "succeed" | "refuse" | "busy" }
  | { do: "give"; isClean: boolean }
  | { do: "leave"; which: number }
  | { do: "end"; which: number }
  | { do: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ do: "take" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("connect" as const),
      how: fc.constantFrom("succeed", "succeed", "refuse", "busy"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("give" as const), isClean: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(1500) }) },
);

/** A socket to a backend that says nothing until the test ends it. */
class FakeSocket implements Socket {
  readonly localAddr = ADDRESS;
  readonly remoteAddr = ADDRESS;
  isOpen = true;
  #read = Promise.withResolvers<number | null>();

  read(): Promise<number | null> {
    return this.#read.promise;
  }
  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    assert.ok(this.isOpen, "closed twice");
    this.isOpen = false;
    this.#read.reject(new Error("closed"));
    this.#read.promise.catch(() => {});
  }
  end(): void {
    this.#read.resolve(null);
  }
}

interface Waiting {
  turn: Turn;
  state: "waits" | "has" | "failed";
  connection?: BackendConnection;
}

Deno.test("Backends never open more connections than permits, and every request gets one or an error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 60 }), async (keepConnections, steps) => {
      const clock = new FakeClock();
      const sockets: FakeSocket[] = [];
      const attempts: PromiseWithResolvers<Socket>[] = [];
      const requests: Waiting[] = [];
      const backends = new Backends({
        name: "app",
        address: ADDRESS,
        maxConnections: MAX_CONNECTIONS,
        maxWaiting: MAX_WAITING,
        keepConnections,
      }, {
        connect() {
          const attempt = Promise.withResolvers<Socket>();
          attempts.push(attempt);
          return attempt.promise;
        },
        clock,
        log() {},
      });
      const take = () => {
        const turn = backends.take();
        const waiting: Waiting = { turn, state: "waits" };
        requests.push(waiting);
        turn.promise.then((connection) => {
          waiting.state = "has";
          waiting.connection = connection;
        }, (error) => {
          assert.ok(error instanceof BackendError || error === "left", String(error));
          waiting.state = "failed";
        });
      };
      const connect = (how: "succeed" | "refuse" | "busy") => {
        const attempt = attempts.shift();
        if (attempt === undefined) return;
        if (how === "refuse") attempt.reject(new Error("refused"));
        else if (how === "busy") attempt.reject(new ConnectBusy("busy"));
        else {
          const socket = new FakeSocket();
          sockets.push(socket);
          attempt.resolve(socket);
        }
      };
      const give = (isClean: boolean) => {
        const place = requests.findIndex(({ state }) => state === "has");
        const [request] = place < 0 ? [] : requests.splice(place, 1);
        if (request?.connection !== undefined) backends.give(request.connection, isClean);
      };
      const check = () => {
        const open = sockets.filter(({ isOpen }) => isOpen).length;
        assert.ok(open + attempts.length <= MAX_CONNECTIONS, `${open} open`);
        const { free, busy, waiting } = backends.facts;
        assert.equal(free + busy, MAX_CONNECTIONS);
        assert.ok(busy >= 0 && busy <= MAX_CONNECTIONS && waiting <= MAX_WAITING, `${busy} busy, ${waiting} waiting`);
        assert.ok(busy >= requests.filter(({ state }) => state === "has").length);
      };
      for (const step of steps) {
        if (step.do === "take") take();
        else if (step.do === "connect") connect(step.how);
        else if (step.do === "give") give(step.isClean);
        else if (step.do === "wait") await clock.advance(step.ms);
        else if (step.do === "end") sockets[step.which % Math.max(1, sockets.length)]?.end();
        else {
          const request = requests[step.which % Math.max(1, requests.length)];
          if (request?.state === "waits") request.turn.leave("left");
        }
        await settled();
        check();
      }
      // Now everything goes well: all that waits is served, and all permits come back.
      for (let round = 0; round < 100 && backends.facts.busy + backends.facts.waiting > 0; round++) {
        connect("succeed");
        give(true);
        await clock.advance(200);
        await settled();
        check();
      }
      assert.deepEqual([backends.facts.busy, backends.facts.waiting], [0, 0]);
      assert.ok(requests.every(({ state }) => state === "failed"), "each has ended");
      backends.close();
      assert.ok(sockets.every(({ isOpen }) => !isOpen), "all are closed");
    }),
    { numRuns: 300 },
  );
});
