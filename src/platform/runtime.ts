// Which runtime this build is for. The build for Node puts another file in this one's place.

import { denoPlatform } from "./deno.ts";
import type { Platform } from "./ports.ts";

/** The runtime that this process runs on. */
export const platform: Platform = denoPlatform;
