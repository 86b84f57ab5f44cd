// What a worker loads before it serves: a millisecond of its start for some 12 KB of source.
// What only some applications or some flags use is loaded if they ask for it.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";

const ROOT = new URL("../../", import.meta.url).href;

interface Dependency {
  code?: { specifier?: string };
  isDynamic?: boolean;
}

interface Info {
  roots: string[];
  modules: { specifier: string; dependencies?: Dependency[] }[];
}

/** Everything that is loaded with a module, by its path in the project if it is ours. */
async function loadedWith(path: string): Promise<Set<string>> {
  const args = ["info", "--json", "--no-lock", fromFileUrl(new URL(path, ROOT))];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  assert.equal(code, 0);
  const { roots, modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
  const loaded = new Set<string>();
  const waiting = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (loaded.has(next)) continue;
    loaded.add(next);
    for (const { code, isDynamic } of modules.find(({ specifier }) => specifier === next)?.dependencies ?? []) {
      if (code?.specifier !== undefined && isDynamic !== true) waiting.push(code.specifier);
    }
  }
  return new Set([...loaded].map((specifier) => specifier.replace(ROOT, "")));
}

Deno.test("A worker loads the engine, and nothing that only some applications or flags use", async () => {
  const loaded = [...await loadedWith("src/cli/worker.ts")];
  assert.ok(loaded.includes("src/engine/engine.ts"));
  const asked =
    /^mod\.ts|^src\/(uploads|restart|demo)\/|^src\/inspect\/(?!dump)|^src\/progress\/(?!of_process)|^src\/(engine|platform)\/compression|^src\/engine\/in_flight|^src\/connection\/proxies|^src\/wire\/(ip_ranges|forwarded|proxy_header|content_coding)/;
  const others =
    /^src\/platform\/deno_(children|files|directory|debugger|tls)|^src\/prefork\/(supervisor|roster|control)/;
  assert.deepEqual(loaded.filter((path) => asked.test(path) || others.test(path)), []);
  assert.deepEqual(loaded.filter((specifier) => /^(npm|jsr|node|https?):/.test(specifier)), []);
});
