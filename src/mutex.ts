// A mutex for async functions.

export interface Mutex {
  /** Runs an act once every act given before it has ended, well or not. */
  readonly run: <T>(act: () => Promise<T>) => Promise<T>;
}

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (act) => {
      const acted = last.then(act);
      last = acted.catch(() => undefined);
      return acted;
    },
  };
}
