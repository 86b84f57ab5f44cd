// WebSockets in tests: the runtime's client as promises, and a client that says exactly these frames.

import { OPCODE } from "../../src/wire/websocket_codes.ts";
import { isOnNode } from "./deno_test.ts";
import { RawClient } from "./raw_client.ts";
import type { Address } from "../../src/platform/ports.ts";

/** The client of Deno. Node 20 has none, and that of later versions loses the reason of a Close frame; npm's ws is like them. */
const OwnClient: typeof WebSocket = isOnNode ? (await import("npm:ws@^8")).WebSocket : WebSocket;

/** How a socket ended. */
export interface Ending {
  code: number;
  reason: string;
  wasClean: boolean;
}

/** The runtime's own client. What came waits until it is asked for. */
export class Chatter implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Resolves when it is open; rejects if it could not be opened. */
  readonly opened: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<Ending>;
  /** What has come and was not asked for. */
  readonly messages: (string | ArrayBuffer)[] = [];
  #wanted: ((message: string | ArrayBuffer) => void)[] = [];

  constructor(url: string, protocols: string[] = []) {
    const socket = this.socket = new OwnClient(url.replace(/^http/, "ws"), protocols);
    socket.binaryType = "arraybuffer";
    const opened = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Ending>();
    this.opened = opened.promise;
    this.opened.catch(() => {});
    this.ended = ended.promise;
    socket.onopen = () => opened.resolve();
    socket.onerror = (event) => opened.reject(new Error((event as ErrorEvent).message));
    socket.onclose = ({ code, reason, wasClean }) => ended.resolve({ code, reason, wasClean });
    socket.onmessage = ({ data }) => {
      const wanted = this.#wanted.shift();
      if (wanted === undefined) this.messages.push(data);
      else wanted(data);
    };
  }

  /** Connects. */
  static async to(url: string, protocols?: string[]): Promise<Chatter> {
    const chatter = new Chatter(url, protocols);
    await chatter.opened;
    return chatter;
  }

  /** The next message. */
  next(): Promise<string | ArrayBuffer> {
    const message = this.messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.ended;
  }
}

/** A key as clients send it. */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** A handshake as bytes. */
export function handshake(target = "/", fields = ""): string {
  return `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
    `sec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n${fields}\r\n`;
}

/** A frame as a client sends it. */
export interface ClientFrame {
  opcode?: number;
  payload?: Uint8Array | string;
  /** The first four bits: 0x80 is FIN, the others are reserved. */
  flags?: number;
  /** Null for a frame without a mask. */
  mask?: readonly [number, number, number, number] | null;
  /** The form of the length; by default the shortest. */
  lengthBytes?: 0 | 2 | 8;
  /** A length that is told instead of the right one. */
  length?: number;
}

const encoder = new TextEncoder();

/** Makes a frame of a client, right or wrong. */
export function frame(
  { opcode = OPCODE.text, payload = "", flags = 0x80, mask = [0x37, 0xfa, 0x21, 0x3d], lengthBytes, length }:
    ClientFrame,
): Uint8Array {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  const told = length ?? bytes.length;
  const form = lengthBytes ?? (told < 126 ? 0 : told < 65536 ? 2 : 8);
  const header: number[] = [flags | opcode];
  const masked = mask === null ? 0 : 0x80;
  if (form === 0) header.push(masked | told);
  else {
    header.push(masked | (form === 2 ? 126 : 127));
    let rest = BigInt(told);
    const digits: number[] = [];
    for (let i = 0; i < form; i++, rest >>= 8n) digits.unshift(Number(rest & 255n));
    header.push(...digits);
  }
  if (mask !== null) header.push(...mask);
  const whole = new Uint8Array(header.length + bytes.length);
  whole.set(header);
  whole.set(mask === null ? bytes : bytes.map((octet, i) => octet ^ mask[i & 3]!), header.length);
  return whole;
}

/** The payload of a Close frame. */
export function closing(code: number, reason = ""): Uint8Array {
  return Uint8Array.of(code >> 8, code & 255, ...encoder.encode(reason));
}

/** A frame as a server sends it. */
export interface ServerFrame {
  /** The first four bits. */
  flags: number;
  opcode: number;
  payload: Uint8Array;
}

/** Reads the frames of a server; what is not whole is left out. */
export function readFrames(bytes: Uint8Array): ServerFrame[] {
  const frames: ServerFrame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = view.getUint8(at);
    const short = view.getUint8(at + 1);
    if (short >= 128) throw new Error("a server does not mask");
    const form = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at + 2 + form > bytes.length) break;
    const length = form === 0 ? short : form === 2 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const end = at + 2 + form + length;
    if (end > bytes.length) break;
    frames.push({ flags: first & 0xf0, opcode: first & 15, payload: bytes.slice(at + 2 + form, end) });
    at = end;
  }
  return frames;
}

/** A client of bytes after its handshake. */
export class RawSocket implements Disposable {
  readonly client: RawClient;
  /** The head of the answer. */
  readonly head: string;

  private constructor(client: RawClient, head: string) {
    this.client = client;
    this.head = head;
  }

  /** Connects and shakes hands. */
  static async connect(
    address: Address,
    { fields = "", more }: { fields?: string; more?: Uint8Array } = {},
  ): Promise<RawSocket> {
    const client = await RawClient.connect(address);
    await client.send(encoder.encode(handshake("/", fields)));
    if (more !== undefined) await client.send(more);
    while (!client.text.includes("\r\n\r\n")) await client.read();
    return new RawSocket(client, client.text.slice(0, client.text.indexOf("\r\n\r\n") + 4));
  }

  /** What the server has sent so far. */
  get frames(): ServerFrame[] {
    return readFrames(this.client.bytes.subarray(this.head.length));
  }

  /** Waits for so many frames, or the end. */
  async until(count: number): Promise<ServerFrame[]> {
    while (this.frames.length < count && !this.client.ended) await this.client.read();
    return this.frames;
  }

  /** Waits for the end. */
  async untilEnd(): Promise<ServerFrame[]> {
    while (!this.client.ended) await this.client.read();
    return this.frames;
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }
}
