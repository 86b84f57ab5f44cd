// Keeps progress in Redis, so that every machine of a service can tell of every upload.
// Redis may be away at any time. Uploads go on, and the operator is told once a minute.

// node-redis, which Redis itself keeps; ioredis gets repairs only. Its client alone is one package without dependencies.
import type { createClient } from "npm:@redis/client@6";
import { lineLog, messageOf } from "../platform/log.ts";
import type { Clock, Log } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { setNewest } from "./oldest.ts";
import { LIFE_MS, type Progress, type ProgressStore } from "./progress.ts";

type CreateClient = typeof createClient;
type Client = ReturnType<CreateClient>;

/** Not a literal in the import: Deno fetches what a literal names before the program starts, needed or not. */
const CLIENT = "npm:@redis/client@6";
const PREFIX = "weft:progress:";
/** One line says that Redis is away; a hundred a second would say no more. */
const WARN_EVERY_MS = 60_000;
/** Commands that may wait for an answer: a second of a busy process; a Redis that hangs gets no more. */
const MAX_COMMANDS = 1_000;
/** Uploads whose last progress is kept until Redis is reachable. */
const MAX_LATE = 10_000;
/** A connection that is silent in spite of pings is dropped and made anew. */
const PING_MS = 5_000;
const SILENT_MS = 12_000;
/** Soon enough after a restart of Redis, and cheap if it stays away. */
const MAX_PAUSE_MS = 1_000;

/** What {@linkcode redisStore} can be told. */
export interface RedisStoreOptions {
  /**
   * Told once a minute at most if Redis is away.
   * @default writes to stderr
   */
  log?: Log | undefined;
  /**
   * Time, for tests.
   * @default the runtime's
   */
  clock?: Clock | undefined;
}

/**
 * Keeps upload progress in Redis. The keys are `weft:progress:ID`; each is forgotten 60 s after it was last put. The
 * client (`npm:@redis/client`) is loaded when this is called, and it connects in the background, again and again.
 *
 * @param url such as `redis://user:password@host:6379/0`, or `rediss:` for TLS
 * @param options what is told of trouble
 * @returns the store, for {@linkcode Uploads.store}
 * @throws {TypeError} if it is not a URL of Redis
 *
 * @example
 * ```ts ignore
 * import { redisStore, serve, uploadProgress, uploads } from "@weft/engine";
 *
 * uploads.store = redisStore("redis://127.0.0.1:6379");
 * serve(uploadProgress(async (request) => new Response(`${(await request.bytes()).length} bytes\n`)));
 * ```
 */
export function redisStore(url: string, options: RedisStoreOptions = {}): ProgressStore {
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url)) {
    // The URL may hold a password: it is not shown.
    throw new TypeError("redisStore: expected a URL such as redis://host:6379, got something else");
  }
  const { clock, process } = platform;
  return new RedisStore(url, { clock: options.clock ?? clock, log: options.log ?? lineLog(process, clock) });
}

class RedisStore implements ProgressStore {
  #world: { clock: Clock; log: Log };
  #client: Client | null = null;
  /** What could not be put yet, the newest of each upload. */
  #late = new Map<string, Progress>();
  #warnedAt = -Infinity;
  #isClosed = false;

  constructor(url: string, world: { clock: Clock; log: Log }) {
    this.#world = world;
    this.#connect(url).catch((error) => this.#warn(error));
  }

  put(id: string, progress: Progress): void {
    this.#late.delete(id);
    if (this.#client?.isReady === true) this.#set(this.#client, id, progress);
    else this.#keep(id, progress);
  }

  async get(id: string): Promise<Progress | null> {
    if (this.#client?.isReady !== true) return null;
    try {
      const text = await this.#client.get(PREFIX + id);
      return text === null ? null : JSON.parse(text);
    } catch (error) {
      this.#warn(error);
      return null;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#late.clear();
    this.#client?.destroy();
  }

  async #connect(url: string): Promise<void> {
    let createClient: CreateClient;
    try {
      ({ createClient } = await import(CLIENT));
    } catch (error) {
      this.#world.log(
        "ERROR",
        "the progress store in Redis cannot be used, uploads go on without it: its client could not be loaded; " +
          `on Node, run \`npm install @redis/client\` and start again: ${messageOf(error)}`,
      );
      return;
    }
    if (this.#isClosed) return;
    const client: Client = createClient({
      url,
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_COMMANDS,
      pingInterval: PING_MS,
      socket: { socketTimeout: SILENT_MS, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, MAX_PAUSE_MS) },
    });
    client.on("error", (error) => this.#warn(error));
    client.on("ready", () => this.#onReady(client));
    this.#client = client;
    await client.connect();
  }

  #onReady(client: Client): void {
    const late = this.#late;
    this.#late = new Map();
    for (const [id, progress] of late) this.#set(client, id, progress);
  }

  #set(client: Client, id: string, progress: Progress): void {
    client.set(PREFIX + id, JSON.stringify(progress), { expiration: { type: "PX", value: LIFE_MS } })
      .catch((error) => {
        this.#keep(id, progress);
        this.#warn(error);
      });
  }

  #keep(id: string, progress: Progress): void {
    setNewest(this.#late, [id, progress], MAX_LATE);
  }

  #warn(error: unknown): void {
    const now = this.#world.clock.now();
    if (this.#isClosed || now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    const why = error instanceof Error ? error.message || error.name : String(error);
    this.#world.log("WARN", `the progress store in Redis is away, uploads go on without it: ${why}`);
  }
}
