/** So many at once, and at most half of them for one key. The keys take turns, and within a key they are let in in the order in which they came. */
export class Slots {
  /** The key whose turn it is comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #taken = new Map<string, number>();
  #free: number;
  readonly #share: number;

  constructor(count: number) {
    this.#free = count;
    this.#share = Math.ceil(count / 2);
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#mayEnter(key)) this.#take(key);
    else await new Promise<void>((resolve) => this.#queueOf(key).push(resolve));
    try {
      return await work();
    } finally {
      this.#giveBack(key);
      this.#letNextIn();
    }
  }

  #mayEnter(key: string): boolean {
    return this.#free > 0 && (this.#taken.get(key) ?? 0) < this.#share;
  }

  #take(key: string): void {
    this.#free -= 1;
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
  }

  #giveBack(key: string): void {
    this.#free += 1;
    const left = (this.#taken.get(key) ?? 0) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }

  #queueOf(key: string): (() => void)[] {
    const queue = this.#waiting.get(key) ?? [];
    this.#waiting.set(key, queue);
    return queue;
  }

  #letNextIn(): void {
    for (const [key, queue] of this.#waiting) {
      if (!this.#mayEnter(key)) continue;
      this.#take(key);
      queue.shift()?.();
      this.#waiting.delete(key);
      if (queue.length > 0) this.#waiting.set(key, queue);
      return;
    }
  }
}
