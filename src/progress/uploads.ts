// The uploads of this process by their names: those that run, and those that ended in the last minute.
// No timer for each upload: one ticks while a client watches or a store is fed, one sweeps while there are old entries.

import type { ExchangeView, PhaseReader } from "../connection/phases.ts";
import { RequestInfo } from "../connection/request_info.ts";
import type { Clock, Timer } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import { platform } from "../platform/runtime.ts";
import { ID_HEADER, idIn, isUpload } from "./naming.ts";
import { dropOldest } from "./oldest.ts";
import {
  isFinal,
  isSame,
  isUploadId,
  LIFE_MS,
  type Progress,
  type ProgressStore,
  showBadId,
  STARTING,
} from "./progress.ts";
import { Ticker } from "./ticker.ts";
import { Upload } from "./upload.ts";

/** Most entries: a few megabytes. What runs is counted, but goes only when it is over. */
const MAX_ENTRIES = 10_000;
/** Eight ticks a second: with what is told at once and at the end, never more than ten. */
const TICK_MS = 125;
const SWEEP_MS = 1_000;
/** A store that takes longer is as good as away: a page rather hears `starting` than nothing. */
const STORE_PATIENCE_MS = 500;
/** A client that watches an unknown upload is sent away after this time. It may ask again. */
const UNKNOWN_MS = 60_000;

/** What an {@linkcode Uploads} can be told. */
export interface UploadsOptions {
  /**
   * The store that tells other processes of the progress.
   * @default {null} in this process alone
   */
  store?: ProgressStore | null | undefined;
  /**
   * Time, for tests.
   * @default the runtime's
   */
  clock?: Clock | undefined;
}

/** What a watching can be told. */
export interface WatchOptions {
  /** Ends it. */
  signal?: AbortSignal | undefined;
  /** Looked at again and again: once it is true, nothing is waited for but an upload that runs. */
  isStopping?: (() => boolean) | undefined;
}

/** An upload that is over. */
interface Ended {
  readonly progress: Progress;
  readonly at: number;
}

/** The uploads of a process, and how far they are. */
export class Uploads implements Disposable {
  /** The store that tells other processes of the progress. Set it before the first upload. */
  store: ProgressStore | null;
  /**
   * A reader for {@linkcode ServeOptions.readers}, needed if a body is read before the application runs: it follows
   * an upload from the moment its head is read. Without it an upload is followed once the application is called.
   */
  readonly reader: PhaseReader = {
    see: ({ exchange }, phase) => {
      if (exchange !== null && (phase === "body" || phase === "dispatch" || phase === "write")) this.follow(exchange);
    },
  };

  #clock: Clock;
  #running = new Map<string, Upload>();
  /** In the order in which they ended. */
  #ended = new Map<string, Ended>();
  #looked = new WeakSet<ExchangeView>();
  #ticker: Ticker;
  #sweeping: Timer | null = null;
  #fedAt = 0;
  #isClosed = false;

  /**
   * Makes a registry without uploads.
   *
   * @param options a store, and a clock for tests
   */
  constructor(options: UploadsOptions = {}) {
    this.store = options.store ?? null;
    const clock = this.#clock = options.clock ?? platform.clock;
    this.#ticker = new Ticker({ clock, everyMs: TICK_MS, work: () => this.#feedAll() });
  }

  /** How many entries there are, running and ended. */
  get size(): number {
    return this.#running.size + this.#ended.size;
  }

  /**
   * Follows a request from here on, if it is an upload with a valid id. A second call for it does nothing. A
   * second upload of the same id takes the name over.
   *
   * @param request what the engine gives a handler as its second argument, or what it gives a reader of phases
   */
  follow(request: ExchangeView | RequestInfo): void {
    const exchange = request instanceof RequestInfo ? RequestInfo.exchangeOf(request).view : request;
    const { head } = exchange;
    if (!isUpload(head) || this.#looked.has(exchange) || this.#isClosed) return;
    this.#looked.add(exchange);
    const id = idIn(head.target, head.field(ID_HEADER));
    if (id === null || !isUploadId(id)) return;
    const upload = new Upload(exchange, this.#clock.now());
    this.#ended.delete(id);
    this.#running.set(id, upload);
    this.#makeRoom();
    if (this.store !== null) {
      this.#feed(this.store, id, upload);
      this.#ticker.start();
    }
    exchange.completed.then(() => this.#end(id, upload, true), () => this.#end(id, upload, false));
  }

  /**
   * Tells how far an upload of this process is.
   *
   * @param id names the upload
   * @returns its progress, or null if this process does not know it
   */
  localProgressOf(id: string): Progress | null {
    const upload = this.#running.get(id);
    if (upload === undefined) return this.#ended.get(id)?.progress ?? null;
    // If other processes answer too, all say the same: a bar must not go back when the next one is asked.
    return (this.store === null ? null : upload.told) ?? upload.sample(this.#clock.now());
  }

  /**
   * Tells how far an upload is.
   *
   * @param id names the upload: 8 to 64 of A-Z a-z 0-9 - _
   * @returns its progress; its state is `starting` if it is not known
   * @throws {TypeError} if an upload cannot have such an id
   */
  async progressOf(id: string): Promise<Progress> {
    if (!isUploadId(id)) throw new TypeError(`progressOf: ${showBadId(id)}`);
    return await this.#find(id) ?? STARTING;
  }

  /**
   * Watches an upload: gives its progress at once, then whenever it changes, at most ten times a second, and ends with
   * its last state. It waits for an upload that has not begun, and ends if nothing is heard of it for 60 s.
   *
   * @param id names the upload: 8 to 64 of A-Z a-z 0-9 - _
   * @param options what ends the watching before
   * @returns an iterator of progress
   * @throws {TypeError} if an upload cannot have such an id
   */
  progressChanges(id: string, options: WatchOptions = {}): AsyncGenerator<Progress, void, void> {
    if (!isUploadId(id)) throw new TypeError(`progressChanges: ${showBadId(id)}`);
    return this.#changes(id, options);
  }

  /** Forgets every upload, ends every watching and closes the store. It is of no use afterwards. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ticker.close();
    this.#sweeping?.cancel();
    this.#running.clear();
    this.#ended.clear();
    // What a store fails with is its own to tell, here and below.
    quietly(() => this.store?.close());
  }

  /** Stops its timers. Nothing is followed from then on. */
  [Symbol.dispose](): void {
    this.close();
  }

  async *#changes(id: string, { signal, isStopping }: WatchOptions): AsyncGenerator<Progress, void, void> {
    let last: Progress | null = null;
    let knownAt = this.#clock.now();
    while (signal?.aborted !== true && !this.#isClosed) {
      const found = await this.#find(id);
      const now = this.#clock.now();
      if (found !== null) knownAt = now;
      // What is lost was not undone: it stays as it was last seen.
      const progress: Progress = found ?? last ?? STARTING;
      if (last === null || !isSame(last, progress)) {
        last = progress;
        yield progress;
        if (isFinal(progress)) return;
      } else if (now - knownAt >= UNKNOWN_MS) return;
      // A server that stops lets a running upload finish, and tells its watchers. It waits for no other upload.
      if (isStopping?.() === true && progress.state !== "uploading") return;
      await this.#ticker.next();
    }
  }

  async #find(id: string): Promise<Progress | null> {
    return this.localProgressOf(id) ?? (this.store === null ? null : await this.#ask(this.store, id));
  }

  async #ask(store: ProgressStore, id: string): Promise<Progress | null> {
    const { promise, resolve } = withResolvers<null>();
    const patience = this.#clock.after(STORE_PATIENCE_MS, () => resolve(null));
    try {
      return await Promise.race([store.get(id), promise]);
    } catch {
      return null;
    } finally {
      patience.cancel();
    }
  }

  /** The exchange is let go of here: an entry that is over holds a few numbers. */
  #end(id: string, upload: Upload, wasAnswered: boolean): void {
    // The name may be another's by now.
    if (this.#running.get(id) !== upload) return;
    const at = this.#clock.now();
    const progress = upload.end(wasAnswered, at);
    this.#running.delete(id);
    this.#ended.set(id, { progress, at });
    this.#sweeping ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
    const { store } = this;
    if (store !== null) quietly(() => store.put(id, progress));
  }

  #makeRoom(): void {
    if (this.size > MAX_ENTRIES) dropOldest(this.#ended);
  }

  #sweep(): void {
    const before = this.#clock.now() - LIFE_MS;
    for (const [id, { at }] of this.#ended) {
      if (at > before) return;
      this.#ended.delete(id);
    }
    this.#sweeping?.cancel();
    this.#sweeping = null;
  }

  /**
   * Tells the store of what runs: the more it is, the less often, so that it is about a thousand puts a second whatever
   * their number. False if there is nothing to tell.
   */
  #feedAll(): boolean {
    const { store } = this;
    if (store === null || this.#running.size === 0) return false;
    const now = this.#clock.now();
    if (now - this.#fedAt < this.#running.size) return true;
    this.#fedAt = now;
    for (const [id, upload] of this.#running) this.#feed(store, id, upload);
    return true;
  }

  #feed(store: ProgressStore, id: string, upload: Upload): void {
    const now = this.#clock.now();
    const progress = upload.sample(now);
    if (upload.isNews(progress, now)) quietly(() => store.put(id, progress));
  }
}

/** Does something without waiting for it. */
function quietly(act: () => unknown): void {
  new Promise((resolve) => resolve(act())).catch(() => {});
}
