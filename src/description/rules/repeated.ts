/** Items whose key an earlier item has too, each with the first of them. */
export function* repeated<T>(items: Iterable<T>, keyOf: (item: T) => string): Iterable<{ item: T; first: T }> {
  const firsts = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, item);
    else yield { item, first };
  }
}
