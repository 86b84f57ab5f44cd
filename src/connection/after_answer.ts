// What follows an answer: the rest of the request is read away, the socket is handed over, or the connection closes in such a
// way that the client still gets the answer.

import { SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { Connection } from "./connection.ts";
import { ConnectionLost } from "./endings.ts";
import type { Exchange } from "./exchange.ts";
import { HandedSocket } from "./handed_socket.ts";
import { MAX_DRAIN_BYTES } from "./request_body.ts";
import { putRefusal, type ResponsePlan } from "./response.ts";
import type { Steps } from "./steps.ts";

const NOTHING = new Uint8Array(0);
const TAKEN = () => Promise.reject(new TypeError("the connection was taken over already"));

/**
 * What follows when an answer that is not plain was written.
 *
 * @param connection the connection
 * @param exchange what was answered
 * @param plan how it was answered
 * @returns false if the connection ends
 */
export function* goOn(connection: Connection, exchange: Exchange, plan: ResponsePlan): Steps<boolean> {
  if (exchange.status === 101) {
    yield* handOver(connection, exchange);
    return false;
  }
  if (!exchange.body.isRead) {
    if (connection.enter("drain")) yield "drain";
    if (plan.keepAlive && (yield* exchange.body.discard())) return true;
    yield* linger(connection);
    return false;
  }
  if (!plan.keepAlive && connection.inbound.inbox.size > 0) yield* linger(connection);
  return plan.keepAlive;
}

/**
 * Tells a client what it did wrong. The connection ends then.
 *
 * @param connection the connection
 * @param error what the client did wrong
 */
export function* refuse(connection: Connection, error: ProtocolError): Steps {
  const { inbound } = connection;
  connection.exchange?.end({ how: "cut", reason: error });
  // In the phase drain the answer is sent already, and the mistake is in what is thrown away.
  if (!connection.isOpen || inbound.broken !== null || connection.phase === "drain") return;
  connection.refusal = error;
  putRefusal(connection, error);
  if (connection.enter("write")) yield "write";
  try {
    yield* connection.flush();
    yield* linger(connection);
  } catch (lost) {
    if (!(lost instanceof ConnectionLost)) throw lost;
  }
}

/**
 * Ends our side and reads on for a while, so that the client gets the answer and not a reset (RFC 9112, section 9.6).
 */
function* linger(connection: Connection): Steps {
  const { inbound, socket } = connection;
  const { inbox } = inbound;
  if (connection.enter("drain")) yield "drain";
  yield socket.closeWrite();
  const most = inbound.received + MAX_DRAIN_BYTES;
  while (!inbox.ended && inbound.received < most) {
    inbox.at = inbox.end;
    const change = inbound.changedSince(inbound.revision, SMALL_BUFFER_BYTES);
    if (change !== null) yield change;
  }
}

/** Gives the socket to another protocol, with what has come of it already. */
function* handOver(connection: Connection, exchange: Exchange): Steps {
  const { inbox } = connection.inbound;
  if (connection.enter("upgraded")) yield "upgraded";
  const first = inbox.size === 0 ? NOTHING : inbox.bytes.slice(inbox.at, inbox.end);
  inbox.at = inbox.end;
  // The other protocol reads into buffers of its own. If a read is under way, its buffer stays until the connection ends.
  if (!connection.inbound.isReading) inbox.close();
  connection.handedOver = exchange.takeOver!(new HandedSocket(connection), first);
  exchange.takeOver = TAKEN; // What it holds is not needed any more.
}
