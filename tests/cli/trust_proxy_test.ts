// --trust-proxy: in one process, in workers, and in the dump.

import assert from "node:assert/strict";
import { runToEnd, start, unixTest } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText } from "../helpers/responses.ts";
import { supervise } from "../helpers/supervised.ts";

const APP = fixture("client_app");
const HEADERS = { "x-forwarded-for": "6.6.6.6, 203.0.113.9", "x-forwarded-proto": "https" };

async function ask(url: string, path: string): Promise<string> {
  return await (await fetch(`${url}${path}`, { headers: HEADERS })).text();
}

unixTest("A trusted peer's client is in info, in the access log and in the dump", async () => {
  await using program = start(["-p", "0", "--trust-proxy", "10.0.0.0/8,127.0.0.1", "--access-log", "-", APP]);
  const url = await program.url();
  assert.equal(await ask(url, "/a"), `${url.replace("http:", "https:")}/a 203.0.113.9`);
  await program.waitFor(/^203\.0\.113\.9 GET \/a 200 /m);
  const held = fetch(`${url}/never`, { headers: HEADERS });
  held.catch(() => {});
  for (let dumps = 1;; dumps++) {
    program.kill("SIGUSR1");
    await program.waitForCount(/Active clients: \d+\n/g, dumps);
    if (/203\.0\.113\.9:0 +dispatch .* GET +\/never /.test(program.stderr)) break;
  }
  assert.match(program.stderr, / trustProxy=10\.0\.0\.0\/8,127\.0\.0\.1 /);
  program.kill("SIGTERM");
  await program.waitFor(/SIGTERM: stopping/);
  program.kill("SIGTERM");
  await assert.rejects(held);
});

unixTest("Workers trust the same peers", async () => {
  await using program = await supervise(["-w", "1", "--trust-proxy", "127.0.0.1", APP]);
  await program.atStrength(1);
  assert.match(await ask(await program.url(), "/a"), /^https:.* 203\.0\.113\.9$/);
});

unixTest("The application may say which peers it trusts, and the command line overrides it", async () => {
  const env = { CLIENT_APP_TRUSTS: "127.0.0.1" };
  {
    await using program = start(["-p", "0", APP], { env });
    assert.match(await ask(await program.url(), "/a"), /^https:.* 203\.0\.113\.9$/);
  }
  await using program = start(["-p", "0", "--trust-proxy", "10.0.0.1", APP], { env });
  assert.match(await ask(await program.url(), "/a"), /^http:.* 127\.0\.0\.1$/);
});

Deno.test("What is not an address is refused in one line", async () => {
  const { code, stderr } = await runToEnd(["-p", "0", "--trust-proxy", "127.0.0.1,proxy.example", APP]);
  assert.equal(code, 2);
  assert.match(stderr, /^weft: --trust-proxy: expected an IP address, .* got "proxy\.example"\n$/);
  const own = await runToEnd(["-p", "0", APP], { env: { CLIENT_APP_TRUSTS: "" } });
  assert.equal(own.code, 2);
  assert.match(own.stderr, /^weft: the application's options: trustProxy: expected an IP address, .* got ""\n$/);
});

unixTest("--proxy-protocol takes the client from the header, also in workers, and the dump shows it", async () => {
  await using program = await supervise(["-w", "1", "--trust-proxy", "127.0.0.1", "--proxy-protocol", APP]);
  await program.atStrength(1);
  using client = await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port: await program.port() });
  await client.send("PROXY TCP4 203.0.113.9 192.0.2.2 56324 443\r\n");
  assert.equal(bodyText(await client.get("/a")), "http://test/a 203.0.113.9");
  const reply = await program.ask({ ask: "dump" });
  assert.match(reply.ok && "text" in reply ? reply.text : "", / proxyProtocol=true [^]*203\.0\.113\.9:56324 +idle /);
});

Deno.test("--proxy-protocol without --trust-proxy is refused", async () => {
  const { code, stderr } = await runToEnd(["-p", "0", "--proxy-protocol", APP]);
  assert.equal(code, 2);
  assert.equal(stderr, "weft: --proxy-protocol needs --trust-proxy: which peers send the header\n");
});
