// Says whether this version of Node can run Weft.

/** The oldest version that works. */
const OLDEST_MAJOR = 20;

/**
 * Compares a version with the oldest one that works.
 *
 * @param found such as `20.11.0`
 * @returns what the user has to do; null if the version works
 */
export function nodeProblem(found: string): string | null {
  const major = /^(\d+)\./.exec(found)?.[1];
  // An unknown form of version is newer than this code.
  if (major === undefined || Number(major) >= OLDEST_MAJOR) return null;
  return `Node ${OLDEST_MAJOR} or later is needed, and this is Node ${found}. Install a newer one, or use "npx -y node@22".`;
}
