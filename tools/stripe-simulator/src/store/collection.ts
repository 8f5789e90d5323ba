/** What every stored object has. `created` is whole seconds and never decreases in order of insertion. */
export interface Stored {
  readonly id: string;
}

export interface Range {
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

export interface ListQuery<T> {
  readonly limit: number;
  readonly startingAfter?: string;
  readonly endingBefore?: string;
  readonly created?: Range;
  /** Exact matches on indexed fields; the smallest index is walked. */
  readonly equals?: Readonly<Record<string, unknown>>;
  readonly matches?: (item: T) => boolean;
  /** Hides what was inserted after this wall time in milliseconds (a lagging list). */
  readonly insertedBeforeMs?: number;
}

export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

/**
 * Append-only arrays of immutable versions: an update replaces the object at its position, so events may keep the old version
 * without copying it. Lists are newest first and cost a binary search plus the page.
 */
export class Collection<T extends Stored> {
  private items: (T | undefined)[] = [];
  private insertedMs: number[] = [];
  private created: number[] = [];
  private readonly positions = new Map<string, number>();
  private readonly indexes = new Map<string, Map<unknown, number[]>>();

  constructor(
    private readonly createdOf: (item: T) => number,
    private readonly indexed: readonly (keyof T & string)[] = [],
  ) {
    for (const field of indexed) this.indexes.set(field, new Map());
  }

  get size(): number {
    return this.positions.size;
  }

  get(id: string): T | undefined {
    const position = this.positions.get(id);
    return position === undefined ? undefined : this.items[position];
  }

  insert(item: T): T {
    const position = this.items.push(item) - 1;
    this.insertedMs.push(Date.now());
    this.created.push(this.createdOf(item));
    this.positions.set(item.id, position);
    for (const field of this.indexed) this.addToIndex(field, item[field], position);
    return item;
  }

  replace(item: T): T {
    const position = this.positions.get(item.id);
    if (position === undefined) throw new Error(`Bug: ${item.id} is not stored`);
    const before = this.items[position];
    this.items[position] = item;
    for (const field of this.indexed) if (before?.[field] !== item[field]) this.addToIndex(field, item[field], position);
    return item;
  }

  remove(id: string): void {
    const position = this.positions.get(id);
    if (position === undefined) return;
    this.items[position] = undefined;
    this.positions.delete(id);
  }

  /** Everything in order of insertion. */
  all(): T[] {
    return this.items.filter((item) => item !== undefined);
  }

  /** Objects whose indexed field has this value, oldest first. */
  by(field: keyof T & string, value: unknown): T[] {
    const positions = this.indexes.get(field)?.get(value) ?? [];
    return positions.map((position) => this.items[position]).filter((item) => item !== undefined && item[field] === value) as T[];
  }

  /**
   * One page, newest first. A cursor that names no stored object gives undefined.
   * `endingBefore` walks towards newer objects, as Stripe does: the page next to the cursor.
   */
  page(query: ListQuery<T>): Page<T> | undefined {
    const cursor = query.startingAfter ?? query.endingBefore;
    const cursorPosition = cursor === undefined ? undefined : this.positions.get(cursor);
    if (cursor !== undefined && cursorPosition === undefined) return undefined;
    const { low, high } = this.window(query);
    const walk = this.smallestIndex(query.equals);
    const forward = query.endingBefore !== undefined;
    const from = forward ? Math.max(low, (cursorPosition ?? -1) + 1) : low;
    const to = forward || cursorPosition === undefined ? high : Math.min(high, cursorPosition);
    const found = this.collect(walk, from, to, forward, query);
    const data = found.slice(0, query.limit);
    return { data: forward ? data.reverse() : data, hasMore: found.length > query.limit };
  }

  clear(): void {
    this.items = [];
    this.insertedMs = [];
    this.created = [];
    this.positions.clear();
    for (const index of this.indexes.values()) index.clear();
  }

  /** Positions [low, high) whose `created` and insertion time can match. */
  private window(query: ListQuery<T>): { low: number; high: number } {
    const { gt, gte, lt, lte } = query.created ?? {};
    let low = 0;
    let high = this.items.length;
    if (gt !== undefined) low = Math.max(low, firstAtLeast(this.created, gt + 1));
    if (gte !== undefined) low = Math.max(low, firstAtLeast(this.created, gte));
    if (lt !== undefined) high = Math.min(high, firstAtLeast(this.created, lt));
    if (lte !== undefined) high = Math.min(high, firstAtLeast(this.created, lte + 1));
    if (query.insertedBeforeMs !== undefined) high = Math.min(high, firstAtLeast(this.insertedMs, query.insertedBeforeMs));
    return { low, high };
  }

  private smallestIndex(equals: Readonly<Record<string, unknown>> = {}): number[] | undefined {
    let smallest: number[] | undefined;
    for (const [field, value] of Object.entries(equals)) {
      const positions = this.indexes.get(field)?.get(value) ?? [];
      if (this.indexes.has(field) && (smallest === undefined || positions.length < smallest.length)) smallest = positions;
    }
    return smallest;
  }

  private collect(walk: number[] | undefined, from: number, to: number, forward: boolean, query: ListQuery<T>): T[] {
    const found: T[] = [];
    const start = walk === undefined ? from : firstAtLeast(walk, from);
    const end = walk === undefined ? to : firstAtLeast(walk, to);
    const step = forward ? 1 : -1;
    const equals = Object.entries(query.equals ?? {});
    for (let at = forward ? start : end - 1; at >= start && at < end && found.length <= query.limit; at += step) {
      const item = this.items[walk === undefined ? at : (walk[at] as number)];
      if (item === undefined || !equals.every(([field, value]) => item[field as keyof T] === value)) continue;
      if (query.matches === undefined || query.matches(item)) found.push(item);
    }
    return found;
  }

  private addToIndex(field: keyof T & string, value: unknown, position: number): void {
    if (value === null || value === undefined) return;
    const index = this.indexes.get(field);
    const positions = index?.get(value);
    if (positions === undefined) index?.set(value, [position]);
    else {
      const at = firstAtLeast(positions, position);
      if (positions[at] !== position) positions.splice(at, 0, position);
    }
  }
}

/** The first place in a sorted array whose value is >= `wanted`. */
function firstAtLeast(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
