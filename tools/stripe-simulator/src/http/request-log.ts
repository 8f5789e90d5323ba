/** One request to the API as `/__truth` shows it. `status` is null while it runs and when no answer left. */
export interface RequestEntry {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly idempotency_key: string | null;
  status: number | null;
  readonly at: string;
  fault?: string;
}

export class RequestLog {
  private entries: RequestEntry[] = [];

  add(entry: RequestEntry): RequestEntry {
    this.entries.push(entry);
    return entry;
  }

  all(): readonly RequestEntry[] {
    return this.entries;
  }

  restore(entries: readonly RequestEntry[]): void {
    this.entries = [...entries];
  }

  clear(): void {
    this.entries = [];
  }
}
