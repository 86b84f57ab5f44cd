// Says whether this version of Deno can run Weft.
// In Deno 2.8 a close does not end a read that is under way, so that a stop waits forever. Deno 2.7 cannot import text files.

/** The oldest version that works. */
const OLDEST = { major: 2, minor: 9 } as const;

/**
 * Compares a version with the oldest one that works. A release candidate counts as its version.
 *
 * @param found such as `2.9.6` or `2.9.0-rc.1`
 * @returns what the user has to do; null if the version works
 */
export function denoProblem(found: string): string | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(found) ?? [];
  // An unknown form of version is newer than this code.
  if (major === undefined || minor === undefined) return null;
  const isOld = Number(major) < OLDEST.major || Number(major) === OLDEST.major && Number(minor) < OLDEST.minor;
  if (!isOld) return null;
  return `Deno ${OLDEST.major}.${OLDEST.minor} or later is needed, and this is Deno ${found}. ` +
    'Run "deno upgrade", or use "npx -y deno@2" instead of "deno".';
}
