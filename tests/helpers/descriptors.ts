// Which descriptors a process of Linux has.

/**
 * Counts the sockets of a process.
 *
 * @param pid its number
 * @returns how many of its descriptors are sockets
 */
export function socketsOf(pid: number): number {
  return linksOf(pid).filter((link) => link.startsWith("socket:")).length;
}

/** What the descriptors of a process stand for. */
function linksOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return Array.from(Deno.readDirSync(directory), ({ name }) => {
    try {
      return Deno.readLinkSync(`${directory}/${name}`);
    } catch (error) {
      // It was closed between the two calls.
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  });
}
