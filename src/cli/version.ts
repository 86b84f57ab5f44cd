// The version of this package; a test holds it to the one in deno.json.

/** Semantic version. */
export const VERSION = "0.1.0";
