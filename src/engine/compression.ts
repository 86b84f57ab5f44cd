// Compresses the answers of an application for clients that accept it.
// Loaded only if it is asked for.

import type { Exchange } from "../connection/exchange.ts";
import { codings, compress, Compressor } from "../platform/compression.ts";
import { type Answer, type AnswerBody, type AnswerSource, isStream, sourceOf } from "../wire/answer.ts";
import { chooseCoding, codedFields, type Coding, isCompressible } from "../wire/content_coding.ts";

/** Longest body that is compressed at once, in about a third of a millisecond. A longer one is compressed in other threads. */
const AT_ONCE_BYTES = 32 * 1024;

const encoder = new TextEncoder();

/**
 * Compresses an answer if that is useful and the client accepts it.
 *
 * @param answer what the application answered
 * @param exchange what is answered
 * @returns what is sent
 */
export function compressed(answer: Answer, { head }: Exchange): Answer {
  if (!isCompressible(answer)) return answer;
  const coding = chooseCoding(head.field("accept-encoding"), codings());
  const fields = codedFields(answer.fields, coding);
  if (coding === null) return { ...answer, fields, block: null };
  return {
    ...answer,
    fields,
    body: head.method === "HEAD" ? none(answer.body) : coded(answer, coding),
    block: null,
  };
}

/** A HEAD tells what a GET would be answered with. How long that is, is not known. */
function none(body: AnswerBody): null {
  if (isStream(body)) body.cancel(undefined).catch(() => {}); // It was not asked for, so its failure does not matter.
  return null;
}

function coded({ body, fields }: Answer, coding: Coding): AnswerBody {
  if (isStream(body)) return streamOf(body, { coding, promised: promisedLength(fields) });
  const bytes = typeof body === "string" ? encoder.encode(body) : body!;
  return bytes.length <= AT_ONCE_BYTES
    ? compress(bytes, coding)
    : streamOf(new Blob([bytes as BlobPart]).stream(), { coding, promised: -1 });
}

/** The length that the application promised; -1 if it did not. The client is not told it, because it is another one. */
function promisedLength(fields: Answer["fields"]): number {
  const [, value = ""] = fields.find(([name]) => name.toLowerCase() === "content-length") ?? [];
  return /^[0-9]+$/.test(value) ? Number(value) : -1;
}

/**
 * Each piece leaves as soon as it came: an event is not held back until the next one. A body of another length than promised
 * fails, so that it does not look complete.
 */
function streamOf(
  body: ReadableStream<Uint8Array> | AnswerSource,
  { coding, promised }: { coding: Coding; promised: number },
): ReadableStream<Uint8Array> {
  const reader = sourceOf(body);
  const compressor = new Compressor(coding);
  let came = 0;
  return new ReadableStream({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (!done && !(value instanceof Uint8Array)) {
            throw new TypeError(`a body's stream must give Uint8Array, it gave a ${typeof value}`);
          }
          came += done ? 0 : value.length;
          if (promised >= 0 && (done ? came < promised : came > promised)) {
            throw new TypeError(
              `the body has ${came} bytes${done ? "" : " or more"}, its content-length is ${promised}`,
            );
          }
          const pieces = done ? await compressor.end() : await compressor.put(value);
          for (const piece of pieces) controller.enqueue(piece);
          if (done) return controller.close();
          if (pieces.length > 0) return;
        }
      } catch (error) {
        compressor.close();
        reader.cancel(error).catch(() => {}); // If it is the stream that has failed, it tells the same error again.
        throw error;
      }
    },
    async cancel(reason) {
      compressor.close();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
