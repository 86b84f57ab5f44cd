// What is told of an upload, which ids can name one, and the store that keeps it for other processes.

/**
 * How an upload stands.
 *
 * - `starting`: nothing is known of it, yet or any more
 * - `uploading`: its request is not answered
 * - `done`: it was answered with a status below 400
 * - `error`: it was answered with a status from 400
 * - `aborted`: the client left, or was cut off without an answer
 */
export type ProgressState = "starting" | "uploading" | "done" | "error" | "aborted";

/** What is told of an upload; its fields stand in this order in the JSON of a poll. */
export interface Progress {
  /** How the upload stands. */
  readonly state: ProgressState;
  /** Bytes of the body that its head promised; -1 if that is not known. */
  readonly size: number;
  /** Bytes of the body that were taken from the socket. */
  readonly received: number;
  /** Bytes a second: of the last few seconds while it runs, of all its time afterwards. */
  readonly rate: number;
  /** Seconds that are left at this rate, rounded up; -1 if they are not known. */
  readonly eta: number;
  /** 1 if its state is `aborted`. */
  readonly aborted: 0 | 1;
  /** The answer's status; 0 until it is answered. */
  readonly status: number;
}

/** What is told of an upload that is not known. */
export const STARTING: Progress = Object.freeze({
  state: "starting",
  size: -1,
  received: 0,
  rate: 0,
  eta: -1,
  aborted: 0,
  status: 0,
});

/** An entry lives this long after its upload is over: time for a page that was away to ask how it ended. */
export const LIFE_MS = 60_000;

/**
 * Keeps the progress of uploads so that other processes find it. This process asks it only for uploads that it does not
 * know itself.
 */
export interface ProgressStore {
  /**
   * Takes what is known of an upload: when it starts, as it changes (at most 10 times a second), every few seconds while
   * it does not, and when it is over. Called often, so it must not throw. What it returns is not awaited.
   *
   * @param id names the upload
   * @param progress to be told for 60 s, unless newer comes
   */
  put(id: string, progress: Progress): void | Promise<void>;
  /**
   * Tells what is known of an upload. An answer that takes more than half a second is not waited for.
   *
   * @param id names the upload
   * @returns what was put last, or null if nothing is known
   */
  get(id: string): Promise<Progress | null>;
  /** Lets go of everything; called once, at the end. */
  close(): void | Promise<void>;
}

/** What names an upload: enough characters not to be guessed, and none that needs an escape anywhere. */
const ID = /^[A-Za-z0-9\-_]{8,64}$/;

/** Most characters of a wrong id that are shown again. */
const MAX_SHOWN = 80;

/**
 * Tells whether an id can name an upload.
 *
 * @param id what came
 * @returns true for 8 to 64 of A-Z a-z 0-9 - _
 */
export function isUploadId(id: string): boolean {
  return ID.test(id);
}

/**
 * Says what is wrong with an id.
 *
 * @param id what came
 * @returns what was expected and what came
 */
export function showBadId(id: string): string {
  return `expected an id of 8 to 64 characters (A-Z a-z 0-9 - _), got ${JSON.stringify(id.slice(0, MAX_SHOWN))}` +
    (id.length > MAX_SHOWN ? ` and ${id.length - MAX_SHOWN} more characters` : "");
}

/**
 * Tells whether an upload is over.
 *
 * @param progress what is known of it
 * @returns true if nothing more will change
 */
export function isFinal(progress: Progress): boolean {
  const { state } = progress;
  return state === "done" || state === "error" || state === "aborted";
}

/**
 * Tells whether anything has changed.
 *
 * @param one what was told
 * @param other what is known now
 * @returns true if there is nothing to tell
 */
export function isSame(one: Progress, other: Progress): boolean {
  return one.received === other.received && one.rate === other.rate && one.state === other.state &&
    one.eta === other.eta && one.size === other.size && one.status === other.status;
}
