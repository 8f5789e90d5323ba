/** The newest entries of something that never ends. Older ones are dropped in bulk, so adding stays cheap and memory bounded. */
export class BoundedLog<T> {
  private entries: T[] = [];
  private dropped = 0;

  /** `limit` is the number of entries that are shown; a quarter more may be held for a while. */
  constructor(private readonly limit: number) {}

  add(entry: T): T {
    this.entries.push(entry);
    if (this.entries.length > this.limit * 1.25) {
      const surplus = this.entries.length - this.limit;
      this.entries = this.entries.slice(surplus);
      this.dropped += surplus;
    }
    return entry;
  }

  /** Oldest first, at most `limit`. */
  all(): readonly T[] {
    return this.entries.length > this.limit ? this.entries.slice(-this.limit) : this.entries;
  }

  /** How many were ever added. */
  total(): number {
    return this.dropped + this.entries.length;
  }

  restore(entries: readonly T[]): void {
    this.entries = entries.slice(-this.limit);
    this.dropped = 0;
  }

  clear(): void {
    this.restore([]);
  }
}
