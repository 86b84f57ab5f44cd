// Tells handlers of node:http from those of a fetch-style server.

/** Enough of a function's source to see its parameters. */
const HEAD_OF_SOURCE = 200;

/**
 * Tells whether a function takes (request, response) of node:http. Express and its like are known by their methods, a plain
 * function by the name of its second parameter, as Koa's callback() has it.
 *
 * @param main a function
 * @returns true if it cannot answer a Request
 */
export function isNodeHandler(main: object): boolean {
  const { handle, use } = main as { handle?: unknown; use?: unknown };
  if (typeof handle === "function" && typeof use === "function") return true;
  const source = Function.prototype.toString.call(main).slice(0, HEAD_OF_SOURCE);
  return /^(?:async\b\s*)?(?:function\b[^(]*)?\(\s*\w+(?:\s*:[^,)]*)?\s*,\s*(?:res|response|reply)\b/.test(source);
}
