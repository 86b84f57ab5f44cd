// Progress as server-sent events, on real sockets.

import assert from "node:assert/strict";
import { uploadProgress } from "../../src/progress/upload_progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";
import { beginUpload, eventsIn, readAndAnswer } from "../helpers/uploading.ts";

const ID = "holiday-film";
const EVENTS = "accept: text/event-stream\r\n";

Deno.test("Events show an upload from before its start to its end, and then the stream ends", async () => {
  using uploads = new Uploads();
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  using watching = await server.connect();
  await watching.ask("GET", `/?progress_id=${ID}`, EVENTS);
  await watching.until('"state":"starting"');
  using client = await beginUpload(server, `/201?progress_id=${ID}`, { size: 300_000 });
  await watching.until('"state":"uploading"');
  for (let sent = 100_000; sent <= 200_000; sent += 100_000) {
    await client.send(new Uint8Array(100_000));
    await watching.until(`"received":${sent}`);
  }
  await client.send(new Uint8Array(100_000));
  const [response] = firstItems(await watching.responses(1), 1);
  assert.equal(fieldOf(response, "content-type"), "text/event-stream");
  assert.equal(fieldOf(response, "cache-control"), "no-store");
  assert.ok(response.isWhole);
  const events = eventsIn(bodyText(response));
  assert.equal(bodyText(response), events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
  assert.deepEqual([itemAt(events, 0).state, itemAt(events, 1).state], ["starting", "uploading"]);
  for (let nr = 1; nr < events.length; nr++) assert.notDeepEqual(events[nr], events[nr - 1]);
  const received = events.map((event) => event.received);
  assert.deepEqual(received, received.toSorted((a, b) => a - b));
  const { state, status } = events.at(-1)!;
  assert.deepEqual([state, status, received.at(-1)], ["done", 201, 300_000]);
});

Deno.test("Events of an upload that is over are one event", async () => {
  using uploads = new Uploads();
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  using client = await beginUpload(server, `/500?progress_id=${ID}`, { size: 4 });
  await client.send("body");
  await client.responses(1);
  using watching = await server.connect();
  const events = eventsIn(bodyText(await watching.get(`/?progress_id=${ID}`, "Accept: Text/Event-Stream, */*\r\n")));
  assert.deepEqual(events.map(({ state, status }) => [state, status]), [["error", 500]]);
});

Deno.test("Events end with aborted if the uploading client leaves", async () => {
  using uploads = new Uploads();
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  using client = await beginUpload(server, `/?progress_id=${ID}`, { size: 100 });
  await client.send("some");
  using watching = await server.connect();
  await watching.ask("GET", `/?progress_id=${ID}`, EVENTS);
  await watching.until('"received":4');
  client.close();
  const [response] = firstItems(await watching.responses(1), 1);
  assert.deepEqual([eventsIn(bodyText(response)).at(-1)!.state, response.isWhole], ["aborted", true]);
});

Deno.test("A watcher that leaves lets the timer stop", async () => {
  const clock = new FakeClock();
  using uploads = new Uploads({ clock });
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  for (let round = 0; round < 3; round++) {
    using watching = await server.connect();
    await watching.ask("GET", `/?progress_id=${ID}`, EVENTS);
    await watching.until('"state":"starting"');
    while (clock.timers === 0) await settled();
    watching.close();
    // Within the minute after which the stream would end by itself.
    for (let waited = 0; clock.timers > 0 && waited < 50_000; waited += 125) {
      await clock.advance(125);
      await turnOfTheNetwork();
    }
    assert.equal(clock.timers, 0);
  }

  /** A turn of the network, so that the server can hear of the end. */
  async function turnOfTheNetwork(): Promise<void> {
    using other = await server.connect();
    await other.get("/");
  }
});

Deno.test("Events of an upload that is never heard of end after 60 s", async () => {
  const clock = new FakeClock();
  using uploads = new Uploads({ clock });
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  using watching = await server.connect();
  await watching.ask("GET", `/?progress_id=${ID}`, EVENTS);
  await watching.until('"state":"starting"');
  while (clock.timers === 0) await settled();
  await clock.advance(61_000);
  const [response] = firstItems(await watching.responses(1), 1);
  assert.deepEqual([eventsIn(bodyText(response)).length, response.isWhole, clock.timers], [1, true, 0]);
});

Deno.test("A HEAD that accepts events gets no stream, and a wrong id gets 400", async () => {
  using uploads = new Uploads();
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  using client = await server.connect();
  await client.ask("HEAD", `/?progress_id=${ID}`, EVENTS);
  const [head] = firstItems(await client.responses(1), 1);
  assert.deepEqual([head.status, fieldOf(head, "content-type")], [200, "text/event-stream"]);
  const wrong = await client.get("/?progress_id=short", EVENTS);
  assert.deepEqual([wrong.status, fieldOf(wrong, "content-type")], [400, "application/json"]);
});
