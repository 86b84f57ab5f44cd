// `deno task npm [directory]`: builds the npm package, by default into npm/, with the TypeScript of npm. It is the same, byte for
// byte, each time.

import { emit } from "./emit.ts";
import { emptyDir, finish, installTypes, outputOf, stageIn } from "./steps.ts";

const out = outputOf(Deno.args, "npm");

await stageIn(async (staged) => {
  await installTypes(staged);
  await emptyDir(out);
  await emit(staged, out);
  await finish(staged, out);
});
console.log(`built ${out.pathname}; \`npm publish ${out.pathname}\` publishes it`);
