// Tests that need what Node does not have, among those that run on both.

/** True if tests/on_node/deno.ts stands for Deno. */
export const isOnNode: boolean = !("serve" in Deno);

/**
 * Registers a test that is skipped on Node.
 *
 * @param name a sentence
 * @param fn the test
 */
export function denoTest(name: string, fn: () => void | Promise<void>): void {
  if (isOnNode) console.log(`skipped, it needs what only Deno has: ${name}`);
  Deno.test({ name, ignore: isOnNode, fn });
}
