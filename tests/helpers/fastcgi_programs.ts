// Real FastCGI applications: plackup with a PSGI application, PHP-FPM with a site. Tests that need one are left out without it.

import { hasProgram } from "./program.ts";
import { fromFileUrl } from "./paths.ts";

/** A FastCGI application in processes of its own. */
export interface RealApp extends AsyncDisposable {
  /** For `weft` and `fastcgi()`, without `fcgi:`. */
  readonly address: string;
  /** A file that does not exist; a stream goes on once it does. */
  readonly gate: string;
}

/** The directory with the site in PHP. */
export const PHP_SITE = fromFileUrl(new URL("../fixtures/php_site", import.meta.url));

const PSGI_APP = fromFileUrl(new URL("../fixtures/echo.psgi", import.meta.url));

/** True if plackup is there, with what FastCGI needs. */
export const hasPlackup: boolean = await hasProgram("plackup") &&
  await succeeds("perl", ["-MFCGI::ProcManager", "-MPlack", "-e", "1"]);
const hasCatalyst = hasPlackup && await succeeds("perl", ["-MCatalyst", "-MCatalyst::View::TT", "-e", "1"]);
const phpFpm = findPhpFpm();

/** Registers a test that needs plackup. */
export function plackTest(name: string, fn: () => Promise<void>): void {
  test(hasPlackup, "plackup (Debian: libplack-perl libfcgi-perl libfcgi-procmanager-perl)", { name, fn });
}

/** Registers a test that needs Catalyst. */
export function catalystTest(name: string, fn: () => Promise<void>): void {
  test(hasCatalyst, "Catalyst (Debian: libcatalyst-perl libcatalyst-modules-perl, and what plackup needs)", {
    name,
    fn,
  });
}

/** Registers a test that needs PHP-FPM. */
export function phpTest(name: string, fn: () => Promise<void>): void {
  test(phpFpm !== null, "PHP-FPM (Debian: php-fpm)", { name, fn });
}

const told = new Set<string>();

function test(isThere: boolean, what: string, { name, fn }: { name: string; fn: () => Promise<void> }): void {
  if (!isThere && !told.has(what)) {
    console.warn(`left out, because this machine has no ${what}: ${name}, and others that need it`);
    told.add(what);
  }
  Deno.test({ name, ignore: !isThere, fn });
}

/** Starts plackup. */
export async function plackup(processes = 2): Promise<RealApp> {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const socket = `${directory}/app.sock`;
  const args = ["-s", "FCGI", "--listen", socket, "--nproc", `${processes}`, "--keep-stderr", "0", "-E", "deployment"];
  return await startApp("plackup", [...args, PSGI_APP], { directory, socket });
}

/** Starts PHP-FPM. */
export async function php(): Promise<RealApp> {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const socket = `${directory}/app.sock`;
  const isRoot = Deno.uid() === 0;
  const lines = [
    "[global]",
    `error_log = ${directory}/fpm.log`,
    "daemonize = no",
    "[www]",
    `listen = ${socket}`,
    ...isRoot ? ["user = root", "group = root"] : [],
    "pm = static",
    "pm.max_children = 2",
    "php_admin_value[output_buffering] = 0",
    "php_admin_value[upload_max_filesize] = 100M",
    "php_admin_value[post_max_size] = 100M",
    "php_admin_value[memory_limit] = 300M",
    "php_admin_flag[log_errors] = on",
  ];
  Deno.writeTextFileSync(`${directory}/fpm.conf`, `${lines.join("\n")}\n`);
  const args = ["-F", "-y", `${directory}/fpm.conf`, ...isRoot ? ["-R"] : []];
  return await startApp(phpFpm ?? "php-fpm", args, { directory, socket });
}

async function startApp(
  command: string,
  args: string[],
  { directory, socket }: { directory: string; socket: string },
): Promise<RealApp> {
  const gate = `${directory}/gate`;
  const env = { WEFT_GATE: gate };
  const child = new Deno.Command(command, { args, env, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  const stderr = new Response(child.stderr).text();
  let isOver = false;
  const ended = child.status.then(() => void (isOver = true));
  for (;;) {
    try {
      (await Deno.connect({ transport: "unix", path: socket })).close();
      break;
    } catch (error) {
      if (isOver) throw new Error(`${command} ended: ${await stderr}`, { cause: error });
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  }
  return {
    address: `unix:${socket}`,
    gate,
    async [Symbol.asyncDispose]() {
      if (!isOver) await killAll(child);
      await ended;
      await stderr;
      Deno.removeSync(directory, { recursive: true });
    },
  };
}

/** Kills a manager and its processes. Asked to stop, FCGI::ProcManager may wait a minute for one that does not hear it. */
async function killAll(child: Deno.ChildProcess): Promise<void> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", `${child.pid}`] }).output();
  child.kill("SIGKILL");
  for (const pid of new TextDecoder().decode(stdout).split("\n").map(Number)) {
    try {
      if (pid > 0) Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
  return success;
}

/** Debian puts its version into its name, and not into the path of users. */
function findPhpFpm(): string | null {
  for (const directory of ["/usr/sbin", "/usr/local/sbin"]) {
    try {
      const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).filter((name) =>
        /^php-fpm[0-9.]*$/.test(name)
      );
      if (names[0] !== undefined) return `${directory}/${names[0]}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}
