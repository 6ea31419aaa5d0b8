// Answers a request that is sent again under the same id with the first answer, instead of acting twice.

const KEEP_MS = 24 * 60 * 60 * 1000;
const KEEP = 1_000;

export class Requests {
  private readonly now: () => number;
  private readonly answers = new Map<
    string,
    { readonly atMs: number; readonly answer: Promise<void> }
  >();

  constructor(now: () => number) {
    this.now = now;
  }

  once(requestId: string, act: () => Promise<void>): Promise<void> {
    this.forgetOld();
    const known = this.answers.get(requestId);
    if (known !== undefined) return known.answer;
    const answer = act();
    this.answers.set(requestId, { atMs: this.now(), answer });
    // A request that failed changed less than it should: the same one may be tried again.
    answer.catch(() => this.answers.delete(requestId));
    return answer;
  }

  private forgetOld(): void {
    for (const [id, { atMs }] of this.answers) {
      if (this.answers.size < KEEP && this.now() - atMs < KEEP_MS) return;
      this.answers.delete(id);
    }
  }
}
