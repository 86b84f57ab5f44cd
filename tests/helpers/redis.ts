// How to run a Redis of one's own, to stop it in the middle, and to ask it without a client.

/** A Redis on a free port. */
export class Redis implements AsyncDisposable {
  readonly port: number;
  #directory: string;
  #child: Deno.ChildProcess | null = null;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
  }

  /** Starts one; it keeps nothing on disk. */
  static async start(): Promise<Redis> {
    const redis = new Redis(freePort(), await Deno.makeTempDir());
    await redis.run();
    return redis;
  }

  /** Where it answers. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Runs it (again), and waits until it answers. */
  async run(): Promise<void> {
    const args = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--save", "", "--dir", this.#directory];
    this.#child = new Deno.Command("redis-server", { args, stdout: "piped", stderr: "null" }).spawn();
    const said = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    for (let all = ""; !all.includes("Ready to accept connections");) {
      const { done, value } = await said.read();
      if (done) throw new Error(`redis-server ended: ${all}`);
      all += value;
    }
    // What it says further is of no interest, but has to go somewhere.
    (async () => {
      while (!(await said.read()).done);
    })();
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    child?.kill("SIGKILL");
    await child?.status;
  }

  /** Freezes it with its connections open, or lets it go on. */
  freeze(isFrozen: boolean): void {
    this.#child!.kill(isFrozen ? "SIGSTOP" : "SIGCONT");
  }

  /** Says a command and gives the line that is answered. */
  async ask(command: string): Promise<string> {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await conn.write(new TextEncoder().encode(`${command}\r\n`));
    const buffer = new Uint8Array(1024);
    const count = await conn.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** A port on which no process listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
