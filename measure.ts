import { Load } from "./tests/helpers/load.ts";
import { supervise, WORKERS_APP } from "./tests/helpers/supervised.ts";
const [workers, clients, keep] = Deno.args;
await using program = await supervise(["-w", workers, WORKERS_APP]);
const port = await program.port();
await program.atStrength(Number(workers));
await using load = new Load(port, { clients: Number(clients), isKeptAlive: keep === "keep" });
const t = performance.now();
for (let i = 0; i < 20; i++) {
  await load.more(100);
  const reply = await program.ask({ ask: "reload" });
  if (!reply.ok) console.log(reply);
}
await load.more(100);
await load.stop();
console.log(
  `${keep} workers=${workers} clients=${clients}: ${load.rate}`,
  `${((performance.now() - t) / 20).toFixed(0)} ms a reload`,
  Object.entries(Object.groupBy(load.failed, (f) => (f.last === null ? "new " : "kept ") + f.reason)).map(([k, v]) =>
    `${k}: ${v.length}`
  ),
);
await program.stop();
console.log([...program.stderr.matchAll(/ready in (\d+) ms/g)].map(([, ms]) => +ms).sort((a, b) => a - b).at(10));
