// What a newer runtime has as methods of sets. Node 20 does not have them.

/**
 * Finds what is in one set and not in another.
 *
 * @param one a set
 * @param other another set
 * @returns a new set
 */
export function difference<Item>(one: ReadonlySet<Item>, other: ReadonlySet<Item>): Set<Item> {
  const rest = new Set<Item>();
  for (const item of one) if (!other.has(item)) rest.add(item);
  return rest;
}

/**
 * Tells whether all of one set is in another.
 *
 * @param one a set
 * @param other another set
 * @returns true if it is; an empty set is in each
 */
export function isSubset<Item>(one: ReadonlySet<Item>, other: ReadonlySet<Item>): boolean {
  for (const item of one) if (!other.has(item)) return false;
  return true;
}
