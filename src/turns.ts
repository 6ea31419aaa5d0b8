// One after the other, for what several change.

/** @returns runs an act once every one it was given before has ended, well or not */
export function takeTurns(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const acted = last.then(act);
    last = acted.catch(() => undefined);
    return acted;
  };
}
