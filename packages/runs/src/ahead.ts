const AHEAD = 8;

/** Results of `work` in the order of `items`, a few begun ahead of the one that is waited for. */
export async function* ahead<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    result.catch(() => undefined); // reported when its turn comes
    begun.push(result);
    if (begun.length >= AHEAD) yield begun.shift()!;
  }
  yield* begun;
}
