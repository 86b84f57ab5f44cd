// What the program does with clients that begin a TLS handshake and do not end it.

import assert from "node:assert/strict";
import { certificates } from "../helpers/certificates.ts";
import { socketsOf } from "../helpers/descriptors.ts";
import { settled } from "../helpers/duplex.ts";
import { linuxTest, type Running, start } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";

const APP = fixture("app");
/** The beginning of a ClientHello. */
const ELEVEN_BYTES = new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);

async function withTls(args: string[], test: (program: Running, port: number, ca: string) => Promise<void>) {
  const { ca, cert, key } = await certificates();
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/cert.pem`, cert);
    await Deno.writeTextFile(`${directory}/key.pem`, key);
    const tls = ["--cert", `${directory}/cert.pem`, "--key", `${directory}/key.pem`];
    await using program = start(["-p", "0", ...tls, ...args, APP]);
    await test(program, Number(new URL(await program.url()).port), ca);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Waits until the server has closed a connection; the client's side stays open. */
async function ended(connection: Deno.Conn): Promise<void> {
  const into = new Uint8Array(100);
  while (await connection.read(into).catch(() => null) !== null);
}

async function get(port: number, ca: string): Promise<string> {
  using client = Deno.createHttpClient({ caCerts: [ca] });
  return await (await fetch(`https://localhost:${port}/x`, { client })).text();
}

linuxTest("TLS handshakes that do not end are closed after the header timeout, with their descriptors", async () => {
  await withTls(["--header-timeout", "1"], async (program, port, ca) => {
    const before = socketsOf(program.pid);
    // The first connection loads what later ones use.
    assert.equal(await get(port, ca), "hello from /x\n");
    while (socketsOf(program.pid) > before) await settled();
    const clients = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const client = await Deno.connect({ hostname: "127.0.0.1", port });
      if (i % 2 === 1) await client.write(ELEVEN_BYTES);
      return client;
    }));
    while (socketsOf(program.pid) < before + clients.length) await settled();
    await Promise.all(clients.map(ended));
    while (socketsOf(program.pid) > before) await settled();
    assert.equal(await get(port, ca), "hello from /x\n");
    for (const client of clients) client.close();
  });
});

linuxTest("TLS handshakes count towards --max-connections until they are timed out", async () => {
  await withTls(["--header-timeout", "1", "--max-connections", "2"], async (program, port, ca) => {
    const silent = await Promise.all([1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })));
    const answer = get(port, ca);
    await program.waitFor(/\[WARN\] 2 connections are open, the most that are allowed; new ones wait/);
    await Promise.all(silent.map(ended));
    assert.equal(await answer, "hello from /x\n");
    for (const client of silent) client.close();
  });
});
