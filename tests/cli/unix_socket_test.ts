// What can be at the path of --unix when the program starts, and when it stops.

import assert from "node:assert/strict";
import { hasProgram, linuxTest, runToEnd, start, unixTest } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";
import { supervise, WORKERS_APP } from "../helpers/supervised.ts";

const APP = fixture("app");

async function ask(path: string): Promise<string> {
  const connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode("GET /u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  return await new Response(connection.readable).text();
}

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Makes a socket whose process is gone. */
async function makeStale(path: string): Promise<void> {
  const code = "Deno.listen({ transport: 'unix', path: Deno.args[0] }); Deno.exit()";
  await new Deno.Command(Deno.execPath(), { args: ["eval", "-q", code, path] }).output();
  assert.ok((await Deno.lstat(path)).isSocket);
}

unixTest("A stale Unix socket is replaced, and the path is free again after the stop", async () => {
  await inDirectory(async (directory) => {
    for (const name of ["weft.sock", "a b", "ünïcode", "-", "x".repeat(100 - directory.length)]) {
      const path = `${directory}/${name}`;
      await makeStale(path);
      await using program = start(["--unix", path, APP]);
      await program.waitFor(/serves/);
      assert.ok(program.stdout.split("\n").includes(`You can connect to your server at unix:${path}`));
      assert.match(await ask(path), /hello from \/u\n$/);
      program.kill("SIGTERM");
      assert.equal((await program.ended).code, 0);
      await assert.rejects(() => Deno.lstat(path), Deno.errors.NotFound);
    }
  });
});

const DIRECTORY = "the path exists and is not a socket but a directory";
const FILE = "the path exists and is not a socket but a file";
const DEVICE = "the path exists and is not a socket but a device or a pipe";
const LINK = "the path exists and is not a socket but a symbolic link";
const LIVE = "another process listens there";

/** What can be at a path, how it is made, and why the program cannot listen there. */
const OBSTACLES: readonly [name: string, make: (path: string) => Promise<unknown>, reason: string][] = [
  ["a directory", (path) => Deno.mkdir(path), DIRECTORY],
  ["a file", (path) => Deno.writeTextFile(path, "precious"), FILE],
  ["a FIFO", (path) => run("mkfifo", path), DEVICE],
  ["a live socket", (path) => listenWithPerl(path, "SOCK_STREAM"), LIVE],
  ["a live socket whose queue is full", (path) => listenWithPerl(path, "SOCK_STREAM", 0), LIVE],
  ["a live socket for datagrams", (path) => listenWithPerl(path, "SOCK_DGRAM"), LIVE],
];

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Has a socket until its stdin ends; with a backlog it connects until the queue is full. */
const LISTEN = `
use Socket; use Fcntl; $| = 1;
my ($path, $type, $backlog) = @ARGV;
socket(my $s, PF_UNIX, $type eq "SOCK_DGRAM" ? SOCK_DGRAM : SOCK_STREAM, 0) or die;
bind($s, sockaddr_un($path)) or die;
listen($s, $backlog // 10) if $type ne "SOCK_DGRAM";
my @clients;
while (defined $backlog) {
  socket(my $c, PF_UNIX, SOCK_STREAM, 0) or die;
  fcntl($c, F_SETFL, O_NONBLOCK);
  connect($c, sockaddr_un($path)) or last;
  push @clients, $c;
}
print "ready\\n"; <STDIN>;
`;

/** What keeps sockets open until the test ends. */
let keepers: Deno.ChildProcess[] = [];

async function listenWithPerl(path: string, type: string, backlog?: number): Promise<void> {
  const args = ["-e", LISTEN, path, type, ...backlog === undefined ? [] : [`${backlog}`]];
  const keeper = new Deno.Command("perl", { args, stdin: "piped", stdout: "piped" }).spawn();
  keepers.push(keeper);
  const reader = keeper.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "ready\n");
  await reader.cancel();
}

async function letGo(): Promise<void> {
  for (const keeper of keepers) {
    await keeper.stdin.close();
    await keeper.status;
  }
  keepers = [];
}

/** The program says so in one line, with its exit code. */
async function assertRefused(path: string, { code, message }: { code: number; message: string }): Promise<void> {
  const ended = await runToEnd(["--unix", path, APP]);
  assert.deepEqual(ended, { code, stdout: "", stderr: `weft: ${message}\n` });
}

function cannotListen(path: string, reason: string) {
  return { code: 1, message: `cannot listen on ${path}: ${reason}; choose another --unix` };
}

if (await hasProgram("perl")) {
  for (const [name, make, reason] of OBSTACLES) {
    unixTest(`--unix is refused, and touches nothing, if its path is ${name} or a link to it`, async () => {
      await inDirectory(async (directory) => {
        const [path, link] = [`${directory}/path`, `${directory}/link`];
        await make(path);
        await Deno.symlink(path, link);
        const before = await Deno.lstat(path);
        await assertRefused(path, cannotListen(path, reason));
        await assertRefused(link, cannotListen(link, LINK));
        assert.equal((await Deno.lstat(path)).ino, before.ino);
        assert.ok((await Deno.lstat(link)).isSymlink);
        await letGo();
      });
    });
  }
}

unixTest(
  "--unix is refused, and touches nothing, if its path is a link to a stale socket, to nothing or to itself",
  async () => {
    await inDirectory(async (directory) => {
      await makeStale(`${directory}/stale`);
      for (
        const [name, target] of [["to-stale", "stale"], ["to-nothing", "nothing"], ["to-itself", "to-itself"]] as const
      ) {
        const link = `${directory}/${name}`;
        await Deno.symlink(target, link);
        await assertRefused(link, cannotListen(link, LINK));
        assert.equal(await Deno.readLink(link), target);
      }
      assert.ok((await Deno.lstat(`${directory}/stale`)).isSocket);
    });
  },
);

unixTest("--unix is refused if its directory is missing, is a file, or takes no socket", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    for (
      const [path, reason] of [
        [`${directory}/missing/path`, "its directory does not exist"],
        [`${directory}/missing/`, "its directory does not exist"],
        [`${directory}/file/path`, "a part of the path is not a directory"],
        [directory, DIRECTORY],
        [`${directory}/`, DIRECTORY],
        [".", DIRECTORY],
        ["/dev/null", DEVICE],
      ] as const
    ) await assertRefused(path, cannotListen(path, reason));
  });
});

linuxTest("--unix is refused if this user may not make a file there", async () => {
  // Not even root may make one there.
  const path = "/sys/weft.sock";
  const { code, stderr } = await runToEnd(["--unix", path, APP]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^weft: cannot listen on \/sys\/weft\.sock: this user may not make a file there \(E(PERM|ACCES)\); .*\n$/,
  );
});

unixTest("--unix without a path, or with one that is too long, is a fault of usage", async () => {
  await assertRefused("", { code: 2, message: "--unix: expected a path, got an empty one" });
  const path = `/tmp/${"x".repeat(200)}`;
  const message = `--unix ${path}: the path is too long, a socket's has at most about 100 bytes`;
  await assertRefused(path, { code: 2, message });
});

unixTest("What has taken the place of the Unix socket is not removed at the stop", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/weft.sock`;
    await using program = start(["--unix", path, APP]);
    await program.url();
    await Deno.remove(path);
    await using successor = start(["--unix", path, APP]);
    await successor.url();
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
    assert.match(await ask(path), /hello from \/u\n$/);
    await Deno.remove(path);
    await Deno.writeTextFile(path, "precious");
    successor.kill("SIGTERM");
    assert.equal((await successor.ended).code, 0);
    assert.equal(await Deno.readTextFile(path), "precious");
  });
});

unixTest("A Unix socket that was removed while the program serves holds up no stop", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/sub/weft.sock`;
    await Deno.mkdir(`${directory}/sub`);
    await using program = start(["--unix", path, APP]);
    await program.url();
    await Deno.remove(`${directory}/sub`, { recursive: true });
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
  });
});

unixTest("What has taken the place of the control socket is not removed at the stop", async () => {
  await using program = await supervise(["-w", "1", WORKERS_APP]);
  await program.atStrength(1);
  await Deno.remove(program.control);
  await Deno.writeTextFile(program.control, "precious");
  assert.equal((await program.stop()).code, 0);
  assert.equal(await Deno.readTextFile(program.control), "precious");
});

unixTest("--control is refused like --unix", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/control`;
    await Deno.writeTextFile(path, "precious");
    const long = `/tmp/${"x".repeat(200)}`;
    const cannot = "weft: cannot open the control socket";
    for (
      const [control, code, message] of [
        [path, 1, `${cannot} ${path}: ${FILE}; choose another --control`],
        [
          long,
          2,
          `${cannot} ${long}: the path is too long, a socket's has at most about 100 bytes; choose another --control`,
        ],
        ["", 2, "weft: --control: expected a path, got an empty one"],
      ] as const
    ) {
      const ended = await runToEnd(["-w", "1", "--control", control, WORKERS_APP]);
      assert.deepEqual(ended, { code, stdout: "", stderr: `${message}\n` });
    }
    assert.equal(await Deno.readTextFile(path), "precious");
  });
});
