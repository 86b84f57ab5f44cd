// `deno task npm [directory]`: builds the npm package, by default into npm/, with the TypeScript of npm. It is the same, byte for
// byte, each time.

import { emit } from "./emit.ts";
import { finish, installTypes, stageIn } from "./steps.ts";

const [directory] = Deno.args;
const out = directory === undefined
  ? new URL("../../npm/", import.meta.url)
  : new URL(`${directory}/`, `file://${Deno.cwd()}/`);

await stageIn(async (staged) => {
  await installTypes(staged);
  await Deno.remove(out, { recursive: true }).catch(ignoreMissing);
  await emit(staged, out);
  await finish(staged, out);
});
console.log(`built ${out.pathname}; \`npm publish ${out.pathname}\` publishes it`);

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
