// One after the other, for what several write to.

/** @returns runs an act once every one it was given before has ended, well or not */
export function takeTurns(): (act: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve();
  return (act) => {
    const acted = last.then(act);
    last = acted.catch(() => undefined);
    return acted;
  };
}
