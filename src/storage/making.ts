// What a driver is making in this process: one maker for each name, and no clean-up takes what it makes for remains.

export class Making {
  private readonly ends = new Map<string, Promise<void>>();

  has(name: string): boolean {
    return this.ends.has(name);
  }

  /** Runs `act` once nobody else makes `name` any more. */
  async alone<T>(name: string, act: () => Promise<T>): Promise<T> {
    for (;;) {
      const other = this.ends.get(name);
      if (other === undefined) break;
      await other;
    }
    const result = act();
    const forget = (): void => {
      this.ends.delete(name);
    };
    this.ends.set(name, result.then(forget, forget));
    return result;
  }
}
