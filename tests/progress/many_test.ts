// Polls stay quick beside many uploads.

import assert from "node:assert/strict";
import { uploadProgress } from "../../src/progress/upload_progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { itemAt } from "../helpers/items.ts";
import { serving } from "../helpers/serving.ts";
import { beginUpload, poll, readAndAnswer } from "../helpers/uploading.ts";

const UPLOADS = 200;
const ROUNDS = 10;
const PIECE = new Uint8Array(16 * 1024);
/** Far from what it takes on an idle machine (the test prints it), as others share this one. */
const MOST_MS = 1_000;

Deno.test("Polls stay quick beside 200 uploads", async () => {
  using uploads = new Uploads();
  await using server = serving(uploadProgress(readAndAnswer, { uploads }));
  const ids = Array.from({ length: UPLOADS }, (_, nr) => `upload-number-${nr}`);
  const size = PIECE.length * (ROUNDS + 1);
  const clients = await Promise.all(ids.map((id) => beginUpload(server, `/?progress_id=${id}`, { size })));
  using asking = await server.connect();
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sent = Promise.all(clients.map((client) => client.send(PIECE)));
    for (let nr = round; nr < UPLOADS; nr += ROUNDS) {
      const askedAt = performance.now();
      const { state } = await poll(asking, itemAt(ids, nr));
      took.push(performance.now() - askedAt);
      assert.ok(round === 0 || state === "uploading", state);
    }
    await sent;
  }
  await Promise.all(clients.map(async (client) => {
    await client.send(PIECE);
    await client.responses(1);
    client.close();
  }));
  for (const id of ids) assert.deepEqual([uploads.localProgressOf(id)?.state], ["done"]);
  const p99 = itemAt(took.sort((a, b) => a - b), Math.floor(took.length * 0.99));
  console.log(`polls beside ${UPLOADS} uploads: p99 ${p99.toFixed(1)} ms of ${took.length}`);
  assert.ok(p99 < MOST_MS, `${p99} ms`);
});
