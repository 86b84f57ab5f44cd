// Applications in Perl, and other FastCGI applications, under the installed program on Node.

import assert from "node:assert/strict";
import { hasPlackup, plackup } from "../helpers/fastcgi_programs.ts";
import { nodeTest, startOn } from "../helpers/npm_package.ts";
import { supervise } from "../helpers/supervised.ts";

const app = (word: string) =>
  `sub {
    my $env = shift;
    my ($body, $piece) = ("", "");
    $body .= $piece while $env->{"psgi.input"}->read($piece, 65536);
    [200, ["Content-Type" => "text/plain", "X-Pid" => $$], ["${word} $env->{REQUEST_METHOD} $env->{PATH_INFO} " . length $body]];
};
`;

/** Lengths of bodies: one that is read before the application runs, and one that is streamed. */
const LENGTHS = [7, 300_000];

async function post(url: string, length: number): Promise<string> {
  return await (await fetch(`${url}/form`, { method: "POST", body: "x".repeat(length) })).text();
}

/** Registers the tests. */
export function perlTests(): void {
  if (!hasPlackup) return console.log("skipped, this machine has no plackup: applications in Perl on Node");

  nodeTest("weft app.psgi serves, reloads and stops on Node, with its processes", async (own, version) => {
    own.write("app.psgi", app("old"));
    await using program = await supervise(["-w", "2", "app.psgi"], {
      cwd: own.directory,
      command: [own.node(version), own.program],
    });
    await program.atStrength(2);
    const url = await program.url();
    const response = await fetch(url);
    const pid = Number(response.headers.get("x-pid"));
    assert.equal(await response.text(), "old GET / 0");
    for (const length of LENGTHS) assert.equal(await post(url, length), `old POST /form ${length}`);

    own.write("app.psgi", "this is not Perl\n");
    const refused = await program.ask({ ask: "reload" });
    assert.equal(refused.ok, false);
    assert.equal(await (await fetch(url)).text(), "old GET / 0");
    own.write("app.psgi", app("new"));
    const reloaded = await program.ctl("reload");
    assert.match(reloaded.stdout, /^reloaded: gen=/);
    assert.equal(await (await fetch(url)).text(), "new GET / 0");
    assert.match((await program.ctl("dump")).stdout, /-- weft engine state --/);
    assert.equal((await program.stop()).code, 0);
    assert.throws(() => Deno.kill(pid, "SIGCONT"), Deno.errors.NotFound);
  });

  for (const flags of [[], ["--no-fast-globals"]]) {
    nodeTest(
      `weft app.psgi gets bodies in one process on Node${flags.length > 0 ? `, with ${flags}` : ""}`,
      async (own, version) => {
        own.write("app.psgi", app("hello"));
        await using program = startOn(own, version, ["-p", "0", ...flags, "app.psgi"]);
        const url = await program.url();
        for (const length of LENGTHS) assert.equal(await post(url, length), `hello POST /form ${length}`);
        program.kill("SIGTERM");
        assert.equal((await program.ended).code, 0);
      },
    );
  }

  nodeTest("weft fcgi: serves an application that runs elsewhere, reloads and stops", async (own, version) => {
    await using backend = await plackup();
    await using program = await supervise(["-w", "2", `fcgi:${backend.address}`], {
      cwd: own.directory,
      command: [own.node(version), own.program],
    });
    await program.atStrength(2);
    const url = await program.url();
    const digest = async (length: number) =>
      await (await fetch(`${url}/digest`, { method: "POST", body: "x".repeat(length) })).text();
    for (const length of LENGTHS) assert.ok((await digest(length)).startsWith(`${length} ${length} `));
    assert.ok((await program.ask({ ask: "reload" })).ok);
    assert.ok((await digest(5)).startsWith("5 5 "));
    assert.equal((await program.stop()).code, 0);
  });
}
