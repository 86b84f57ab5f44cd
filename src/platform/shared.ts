// State that all copies of this package in a process have in common.
// The program and the application may each bring a copy of the package, and the modules of one copy do not see those of the
// other. Copies of one major version share what is kept here, so its shape must not change within a major version.

/** The major version of the package. */
export const MAJOR = 0;

/**
 * Finds a state by its name, or makes it.
 *
 * @param name of the state
 * @param make makes the first one
 * @returns the state that every copy of this major version gets
 */
export function shared<State>(name: string, make: () => State): State {
  const key = Symbol.for(`@weft/engine ${MAJOR} ${name}`);
  const states = globalThis as unknown as Record<symbol, State | undefined>;
  const found = states[key];
  if (found !== undefined) return found;
  const made = make();
  // Not enumerable: an application that looks over its globals need not see it.
  Object.defineProperty(states, key, { value: made });
  return made;
}
