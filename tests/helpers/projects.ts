// A user's project in a temporary directory, which is gone afterwards.

/** A directory with files in it. */
export interface Project extends AsyncDisposable {
  readonly directory: string;
  /** The path of a file in it. */
  path(name: string): string;
}

/**
 * Makes a project.
 *
 * @param files texts by their names, which may have directories
 * @returns the project, removed when it is disposed of
 */
export async function project(files: Readonly<Record<string, string>>): Promise<Project> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "weft-project-" }));
  const path = (name: string) => `${directory}/${name}`;
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(path(name).replace(/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(path(name), text);
  }
  return { directory, path, [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }) };
}
