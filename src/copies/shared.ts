// What all copies of this package in a process have in common.
// The program and the application may each bring a copy of the package, and the modules of one copy do not see those of the
// other. Copies of one major version understand each other: state, and the classes that cross over, are known by symbols that
// carry that version. So what is shared must not change its shape within a major version.

/** The major version of the package. */
export const MAJOR = 0;

/** The major versions of all copies that were loaded so far. Its own shape never changes. */
const versions: Set<number> = kept(Symbol.for("@weft/engine copies"), () => new Set<number>());
versions.add(MAJOR);

/**
 * Lists copies that do not understand this one.
 *
 * @returns their major versions
 */
export function otherVersions(): number[] {
  return [...versions].filter((version) => version !== MAJOR);
}

/**
 * Finds a state by its name, or makes it.
 *
 * @param name of the state
 * @param make makes the first one
 * @returns the state that every copy of this major version gets
 */
export function shared<State>(name: string, make: () => State): State {
  return kept(keyOf(name), make);
}

/**
 * Lets `instanceof` know the instances that another copy has made. Subclasses are not concerned.
 *
 * @param type the class, branded once
 * @param name its name, the same in all copies
 */
export function brand(type: abstract new (...args: never[]) => object, name: string): void {
  const key = keyOf(name);
  Object.defineProperty(type.prototype, key, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== type) return Function.prototype[Symbol.hasInstance].call(this as () => unknown, value);
      return typeof value === "object" && value !== null && key in value;
    },
  });
}

/**
 * Lets other copies read what a class keeps private.
 *
 * @param type the class
 * @param name of what is read
 * @param read reads it from an instance
 */
export function expose<Instance extends object>(
  type: new (...args: never[]) => Instance,
  name: string,
  read: (instance: Instance) => unknown,
): void {
  Object.defineProperty(type.prototype, keyOf(name), {
    get(this: Instance) {
      return read(this);
    },
  });
}

/**
 * Attaches a value to one object, so that `exposed` finds it.
 *
 * @param instance the object
 * @param name of what is read
 * @param value what `exposed` returns
 */
export function attach(instance: object, name: string, value: unknown): void {
  Object.defineProperty(instance, keyOf(name), { value });
}

/**
 * Reads what a class of some copy exposes, or what was attached.
 *
 * @param instance anything
 * @param name of what is read
 * @returns it; undefined if the instance exposes no such thing
 */
export function exposed(instance: object, name: string): unknown {
  return (instance as Record<symbol, unknown>)[keyOf(name)];
}

function keyOf(name: string): symbol {
  return Symbol.for(`@weft/engine ${MAJOR} ${name}`);
}

/** Not enumerable: an application that looks over its globals need not see it. */
function kept<State>(key: symbol, make: () => State): State {
  const states = globalThis as unknown as Record<symbol, State | undefined>;
  const found = states[key];
  if (found !== undefined) return found;
  const made = make();
  Object.defineProperty(states, key, { value: made });
  return made;
}
