// Turns what is reported by a callback into an async iterable.

/** Every reported item in order, also those before a failure; then ends, or throws, as `run` did. */
export async function* collect<Item>(
  run: (report: (item: Item) => void) => Promise<void>,
): AsyncGenerator<Item> {
  const items: Item[] = [];
  const state = { ended: false };
  let wake = () => {};
  const running = run((item) => {
    items.push(item);
    wake();
  }).finally(() => {
    state.ended = true;
    wake();
  });
  running.catch(() => undefined); // Thrown below, or, when nobody reads any more, nowhere.
  for (;;) {
    const item = items.shift();
    if (item !== undefined) yield item;
    else if (state.ended) break;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  await running;
}
