// Takes paths apart and puts them together: absolute ones, with `/` between the names on every system.

/**
 * The directory that a path is in.
 *
 * @param path absolute
 * @returns the path without its last name; a root is in itself
 */
export function directoryOf(path: string): string {
  const directory = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  return directory === "" || /^[A-Za-z]:$/.test(directory) ? path.slice(0, directory.length + 1) : directory;
}

/**
 * The path of a name in a directory.
 *
 * @param directory absolute
 * @param name of what is in it
 * @returns the path
 */
export function below(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

/**
 * The last name of a path.
 *
 * @param path absolute
 * @returns the name
 */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
