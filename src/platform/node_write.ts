// Writes to Node's handle of a connection. The stream of node:net takes several steps more for each write.
// A write needs an object of a class that only Node has, so the first writes of the process go through a stream, which shows it.
// If that is not as expected, all writes go through the stream.

import type { Socket as NodeSocket } from "node:net";

/** What a write needs of Node's handle of a connection. */
export interface WriteHandle {
  /** Gives 0, or the negative number of an error. Keeps the request and the bytes if the system does not take all at once. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

/** Node's object for a write that the system does not take at once. */
interface WriteRequest {
  /** -1 until the request is in use. */
  getAsyncId(): number;
  /** Called when a write has ended, with 0 or the negative number of an error. */
  oncomplete?(status: number): void;
  /** Set by a stream of node:net: false if the system took all at once. */
  async?: boolean;
}

/** A request that is not in use. Null until Node's class is known. */
let spare: WriteRequest | null = null;

/** Tells whether {@linkcode writeTo} can be called. */
export function canWriteTo(): boolean {
  return spare !== null;
}

/**
 * Writes, after `canWriteTo` has been true.
 *
 * @param handle of a connection that is open; no write is under way
 * @param bytes that do not change until they are written
 * @returns null if the system has taken all at once, as nearly always; otherwise resolved when it has, with 0, or when the write
 * has failed, with the negative number of the error
 */
export function writeTo(handle: WriteHandle, bytes: Uint8Array): Promise<number> | null {
  const request = spare!;
  const result = handle.writeBuffer(request, bytes);
  if (result === 0 && request.getAsyncId() === -1) return null;
  spare = new (request.constructor as new () => WriteRequest)();
  return result === 0 ? new Promise((resolve) => request.oncomplete = resolve) : Promise.resolve(result);
}

/**
 * Writes through a stream, and looks at the request that the stream gives to its handle.
 *
 * @param socket the stream
 * @param handle its handle
 * @param bytes what to write
 */
export function writeAndLook(socket: NodeSocket, handle: WriteHandle, bytes: Uint8Array): void {
  let seen: WriteRequest | null = null;
  handle.writeBuffer = (request, piece) => {
    seen = request;
    return Object.getPrototypeOf(handle).writeBuffer.call(handle, request, piece);
  };
  socket.write(bytes);
  delete (handle as Partial<WriteHandle>).writeBuffer;
  const request = seen as WriteRequest | null;
  if (request?.async !== false || request.constructor.name !== "WriteWrap") return;
  if (typeof request.getAsyncId === "function" && request.getAsyncId() === -1) {
    spare = new (request.constructor as new () => WriteRequest)();
  }
}
