// How many clients ask again and again, what they were answered, and what failed.

const encoder = new TextEncoder();
const REQUEST = encoder.encode("GET / HTTP/1.1\r\nhost: load\r\n\r\n");
const LAST_REQUEST = encoder.encode("GET / HTTP/1.1\r\nhost: load\r\nconnection: close\r\n\r\n");

/** A request that was not answered. */
export interface Failed {
  /** What was answered last on the same connection; null if it was the first request of it. */
  last: string | null;
  reason: string;
}

/** How clients ask. */
export interface LoadOptions {
  clients: number;
  /** False: a new connection for each request. */
  isKeptAlive: boolean;
}

/** Clients that ask without a pause until they are stopped. */
export class Load implements AsyncDisposable {
  /** How often each body came. */
  readonly answers: Map<string, number> = new Map();
  readonly failed: Failed[] = [];
  answered = 0;

  #port: number;
  #isOver = false;
  #clients: Promise<void>[];
  #waiting: { count: number; resolve: () => void }[] = [];

  /** Starts to ask `/` at a port of 127.0.0.1. */
  constructor(port: number, { clients, isKeptAlive }: LoadOptions) {
    this.#port = port;
    this.#clients = Array.from({ length: clients }, () => this.#askOn(isKeptAlive));
  }

  /** Waits for so many answers more. */
  async more(count: number): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push({ count: this.answered + count, resolve }));
  }

  /** Every client finishes what it has begun. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** Failures among all requests, for a line of a report. */
  get rate(): string {
    const all = this.answered + this.failed.length;
    return `${this.failed.length} of ${all} failed (${(this.failed.length / all * 10_000).toFixed(1)} in 10000)`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #askOn(isKeptAlive: boolean): Promise<void> {
    while (!this.#isOver) {
      let last: string | null = null;
      try {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
        connection.setNoDelay(true);
        for (let isOpen = true; isOpen && !this.#isOver;) {
          await connection.write(isKeptAlive ? REQUEST : LAST_REQUEST);
          const { body, isLast } = await readAnswer(connection);
          last = body;
          isOpen = !isLast;
          this.#note(body);
        }
      } catch (error) {
        this.failed.push({ last, reason: error instanceof Error ? error.message : String(error) });
        // A port on which no process listens must not keep the machine busy.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #note(body: string): void {
    this.answered++;
    this.answers.set(body, (this.answers.get(body) ?? 0) + 1);
    for (const waiting of this.#waiting) if (this.answered >= waiting.count) waiting.resolve();
    this.#waiting = this.#waiting.filter(({ count }) => this.answered < count);
  }
}

/** Reads one answer with a Content-Length: these servers send no other to `/`. */
async function readAnswer(connection: Deno.Conn): Promise<{ body: string; isLast: boolean }> {
  const buffer = new Uint8Array(4096);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const head = text.slice(0, end);
      if (!head.startsWith("HTTP/1.1 200")) throw new Error(`answered ${JSON.stringify(head.slice(0, 40))}`);
      const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? NaN);
      const body = text.slice(end + 4);
      if (body.length >= length) return { body, isLast: /\r\nconnection: close/.test(head) };
    }
    const count = await connection.read(buffer);
    if (count === null) throw new Error(text === "" ? "closed without an answer" : "closed in the middle of an answer");
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}
