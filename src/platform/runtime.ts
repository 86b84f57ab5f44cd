// Chooses the runtime. The build for Node replaces this file.

import { denoPlatform } from "./deno.ts";
import type { Platform } from "./ports.ts";

/** The runtime that this process runs on. */
export const platform: Platform = denoPlatform;
