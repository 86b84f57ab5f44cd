// Which processes of an application in Perl a worker uses. The supervisor owns them, so that they are loaded once for all
// workers. Each generation of workers has its own: a reload starts new ones, and the old ones answer until those serve.
//
// A kept connection holds a process. So each worker may keep a share of them, and all shares together are as many as there are
// processes. A worker that is added later has no share, and gets processes of its own.

import type { Files } from "../platform/ports.ts";
import type { BackendPool } from "./backend_pool.ts";
import type { BackendSeat } from "./worker_link.ts";

/** What they are made of. */
export interface BackendPoolsOptions {
  /** A private directory for the sockets. */
  directory: string;
  /** How many processes a generation has; null for as many as it has workers. */
  processes: number | null;
  files: Pick<Files, "makePrivateDirectory">;
  start(socket: string, processes: number): BackendPool;
}

/** The place of a worker. */
interface Place {
  nr: number;
  generation: number;
  /** How many workers there should be. */
  workers: number;
}

/** The processes that some workers use. */
interface Used {
  readonly pool: BackendPool;
  readonly generation: number;
  /** The only worker's number; null if it is for all that were there when the generation began. */
  readonly nr: number | null;
  readonly workers: number;
  readonly processes: number;
  readonly users: Set<number>;
}

/** The processes of all generations. */
export class BackendPools {
  #options: BackendPoolsOptions;
  /** By the name of their directory. */
  #used = new Map<string, Used>();
  /** Those that are about to end. */
  #leaving = new Set<BackendPool>();

  constructor(options: BackendPoolsOptions) {
    this.#options = options;
  }

  /**
   * Gives a worker its share. Starts the processes if there are none.
   *
   * @param id of the worker
   * @param place its number and generation
   * @returns what it is told, and when the processes serve
   */
  join(id: number, place: Place): { seat: BackendSeat; ready: Promise<void> } {
    const { processes } = this.#options;
    const used = this.#find(`${place.generation}`, place, () => processes ?? place.workers);
    const { workers } = used;
    if (used.processes < workers) return seatOf(used, id, null);
    const each = Math.floor(used.processes / workers);
    if (place.nr > workers) {
      const own = this.#find(`${place.generation}-${place.nr}`, place, () => each);
      return seatOf(own, id, own.processes);
    }
    return seatOf(used, id, each + (place.nr <= used.processes % workers ? 1 : 0));
  }

  #find(name: string, { nr, generation, workers }: Place, count: () => number): Used {
    const found = this.#used.get(name);
    if (found !== undefined) return found;
    const { directory, files, start } = this.#options;
    const path = `${directory}/${name}`;
    files.makePrivateDirectory(path);
    const processes = count();
    const pool = start(`${path}/socket`, processes);
    const isOwn = name.includes("-");
    const used = { pool, generation, nr: isOwn ? nr : null, workers, processes, users: new Set<number>() };
    this.#used.set(name, used);
    return used;
  }

  /**
   * A worker has ended. Processes that nothing uses any more are told to end.
   *
   * @param id of the worker
   * @param now the generation that serves, and how many workers there should be
   */
  leave(id: number, now: { generation: number; workers: number }): void {
    for (const [name, { pool, generation, nr, users }] of this.#used) {
      users.delete(id);
      const isWanted = generation === now.generation && (nr === null || nr <= now.workers);
      if (users.size > 0 || isWanted) continue;
      this.#used.delete(name);
      this.#leaving.add(pool);
      pool.stop().then(() => this.#leaving.delete(pool));
    }
  }

  /**
   * Ends all processes.
   *
   * @param isNow true if they have no time to finish what they do
   * @returns when none is left
   */
  async close(isNow: boolean): Promise<void> {
    const pools = [...this.#leaving, ...Array.from(this.#used.values(), ({ pool }) => pool)];
    await Promise.all(pools.map((pool) => isNow ? pool.kill() : pool.stop()));
  }
}

function seatOf(
  { pool, users }: Used,
  id: number,
  permits: number | null,
): { seat: BackendSeat; ready: Promise<void> } {
  users.add(id);
  return { seat: { socket: pool.socket, permits }, ready: pool.ready };
}
