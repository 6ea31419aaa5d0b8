// Does one act for many things, only so many at a time.

/**
 * What `act` makes of each item, in the order of the items. After the first failure no further one is begun.
 * @throws the first failure, once those that were begun have ended
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const waiting = [...items.entries()].values();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (failed) return;
      try {
        results[index] = await act(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(most, items.length) }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return results;
}
