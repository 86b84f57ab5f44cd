// How an object appears on the console of Deno and of Node.

/** What a runtime passes to the method that it asks: its own `inspect`, and options for it. */
type Inspect = (value: unknown, options: unknown) => string;

/**
 * Shows some members on the console, in place of everything.
 *
 * @param type the class; called once
 * @param names the members that are shown
 */
export function showOnly<Instance extends object>(
  type: { readonly prototype: Instance },
  names: readonly (keyof Instance & string)[],
): void {
  const picked = (instance: Instance) => Object.fromEntries(names.map((name) => [name, instance[name]]));
  Object.defineProperties(type.prototype, {
    [Symbol.for("Deno.customInspect")]: {
      value(this: Instance, inspect: Inspect, options: unknown): string {
        return inspect(picked(this), options);
      },
    },
    [Symbol.for("nodejs.util.inspect.custom")]: {
      value(this: Instance, _depth: number, options: unknown, inspect: Inspect): string {
        return inspect(picked(this), options);
      },
    },
  });
}
