// What a test expects to be in a list. A list that is too short fails at this place, and with its contents.

/** A tuple of so many items. */
export type Items<Item, Count extends number, Sofar extends Item[] = []> = Sofar["length"] extends Count ? Sofar
  : Items<Item, Count, [...Sofar, Item]>;

/**
 * Gives one item of a list.
 *
 * @param list what should have it
 * @param index where it should be
 * @returns the item
 * @throws {Error} if the list is too short
 */
export function itemAt<Item>(list: ArrayLike<Item>, index: number): Item {
  if (!(index in Object(list))) throw missing(list, index);
  return list[index]!;
}

/**
 * Gives the first items of a list.
 *
 * @param list what should have them
 * @param count how many
 * @returns these items
 * @throws {Error} if the list is too short
 */
export function firstItems<Item, Count extends number>(list: ArrayLike<Item>, count: Count): Items<Item, Count> {
  if (list.length < count) throw missing(list, count - 1);
  return Array.from(list).slice(0, count) as Items<Item, Count>;
}

function missing(list: ArrayLike<unknown>, index: number): Error {
  return new Error(`expected an item at ${index}, the list has ${list.length}: ${Deno.inspect(list)}`);
}
