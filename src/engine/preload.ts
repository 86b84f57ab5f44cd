// The export `@weft/engine/preload`.

/**
 * Serves every call of `Deno.serve` with Weft, in a program that is not changed:
 * `deno run --preload @weft/engine/preload main.ts`. For workers, reloads and `ctl`, give the program to Weft instead:
 * `deno run -A @weft/engine main.ts`.
 *
 * @module
 */

import { platform } from "../platform/runtime.ts";
import { serve } from "./serve.ts";
import type { ServeOptions } from "./serve_options.ts";

platform.replaceServe(({ options, handler }) => {
  return serve({ ...options as ServeOptions | null, handler: handler as () => Response });
});
