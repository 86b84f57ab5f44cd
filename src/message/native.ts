// A runtime keeps the state of its Request, Response and Headers under symbols of the instance.
// Only what a probe has found is relied on; if it finds nothing, the public interface is used.

/**
 * Gives a class the state of a native one, made on first touch: the runtime, and every method that the class does not
 * have itself, then take its instances for native ones (`instanceof`, `fetch(it)`, `new Request(it)`).
 *
 * @param lazy the class; its prototype is put below the native one
 * @param native a class of the runtime
 * @param sample any instance of it
 * @param realOf gives, for an instance of the lazy class, the native instance that stands for it
 */
export function standFor<Lazy extends object, Native extends object>(
  lazy: { prototype: Lazy },
  native: { prototype: Native },
  sample: Native,
  realOf: (lazy: Lazy) => Native,
): void {
  const { prototype } = lazy;
  Object.setPrototypeOf(prototype, native.prototype);
  Object.defineProperty(prototype, "constructor", { value: native, writable: true, configurable: true });
  const symbols = Object.getOwnPropertySymbols(sample);
  // The state is in private fields. So the native methods and getters are called on the native instance.
  if (symbols.length === 0) delegate(prototype, native.prototype, realOf);
  for (const symbol of symbols) {
    const value = (sample as Record<symbol, unknown>)[symbol];
    // A brand is the same for all instances; asking for it must not make anything.
    if (value === symbol) {
      Object.defineProperty(prototype, symbol, { value });
      continue;
    }
    Object.defineProperty(prototype, symbol, {
      get(this: Lazy) {
        return (realOf(this) as Record<symbol, unknown>)[symbol];
      },
      set(this: Lazy, next: unknown) {
        (realOf(this) as Record<symbol, unknown>)[symbol] = next;
      },
    });
  }
}

/** Gives a prototype all that a native one has and it lacks. */
function delegate<Lazy extends object, Native extends object>(
  prototype: Lazy,
  native: Native,
  realOf: (lazy: Lazy) => Native,
): void {
  for (const key of Reflect.ownKeys(native)) {
    if (Object.hasOwn(prototype, key)) continue;
    const { get, value } = Object.getOwnPropertyDescriptor(native, key)!;
    const descriptor = get !== undefined
      ? {
        get(this: Lazy) {
          return get.call(realOf(this));
        },
      }
      : typeof value === "function"
      ? {
        value(this: Lazy, ...args: unknown[]) {
          return value.apply(realOf(this), args);
        },
        writable: true,
      }
      : { value };
    Object.defineProperty(prototype, key, { ...descriptor, configurable: true });
  }
}

/**
 * Finds the symbols of an instance by their descriptions.
 *
 * @param instance any object
 * @returns a record from a symbol's description to the symbol
 */
export function symbolsOf(instance: object): Record<string, symbol> {
  const found: Record<string, symbol> = {};
  for (const symbol of Object.getOwnPropertySymbols(instance)) found[symbol.description ?? ""] = symbol;
  return found;
}

/**
 * Finds the runtime's own class. A library may have put a subclass into its place before Weft was loaded.
 *
 * @param named what the global names
 * @returns the class that it descends from, or itself
 */
export function nativeOf<Class extends object>(named: Class): Class {
  let native = named;
  for (;;) {
    const parent = Object.getPrototypeOf(native);
    if (typeof parent !== "function" || parent === Function.prototype) return native;
    native = parent;
  }
}

/** Where Deno keeps whether a Headers can be changed; undefined if this Deno has it elsewhere. */
const guardPlace = Object.getOwnPropertySymbols(new Headers())
  .find((symbol) => symbol.description === "guard");

/**
 * Makes the fields of native Headers unchangeable, as those of a request under Deno.serve are. A copy can be changed.
 *
 * @param headers of the runtime
 * @returns the same
 */
export function forbidChanges(headers: Headers): Headers {
  if (guardPlace !== undefined) (headers as unknown as Record<symbol, unknown>)[guardPlace] = "immutable";
  return headers;
}
