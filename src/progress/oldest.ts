// Maps and sets that must not grow without end: a new entry makes room by dropping the oldest.
// Both keep the order in which their entries were added.

/**
 * Drops the entry that was added first.
 *
 * @param items a map or a set
 * @returns its key; undefined if there was none
 */
export function dropOldest<Key>(items: Map<Key, unknown> | Set<Key>): Key | undefined {
  for (const key of items.keys()) {
    items.delete(key);
    return key;
  }
}

/**
 * Sets an entry, which becomes the newest, and drops the oldest if there are too many.
 *
 * @param map where to
 * @param entry its key and value
 * @param most how many entries may stay
 */
export function setNewest<Key, Value>(map: Map<Key, Value>, [key, value]: [Key, Value], most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) dropOldest(map);
}
