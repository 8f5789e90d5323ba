import { CLOCK_SET_BACK_MS } from '@tidegate/resilience/breaker';
import { type Operation, operationName } from '../port.js';
import { type BreakerName } from '../breaker-names.js';
import { type BreakerRow, type FleetRows, type Hold } from './breaker.store.js';

/** A copy that was asked for longer ago admits nothing: the fleet may have decided otherwise since. */
export const COPY_LASTS_MS = 750;

/** Whether a call may start by what a process knows: yes, yes as the probe that somebody must now lease, or no; `unread`: no, since it does not know. */
export type Door =
  { open: true; version: number } | { open: false; probeDue: true } | { open: false; probeDue: false; retryAfterMs: number; unread?: true };

/** The fleet's breakers as one process last read them. Times of this process are milliseconds of its monotonic clock, which goes on while it is stopped. */
export class FleetCopy {
  private readonly byName: ReadonlyMap<BreakerName, BreakerRow>;

  /** `askedAt`: when the question was sent, so that a slow answer is an old one. */
  constructor(
    private readonly rows: FleetRows,
    readonly askedAt: number,
  ) {
    this.byName = new Map(rows.breakers.map((row) => [row.name, row]));
  }

  isFresh(at: number): boolean {
    return at - this.askedAt < COPY_LASTS_MS;
  }

  breaker(name: BreakerName): BreakerRow {
    const row = this.byName.get(name);
    if (!row) throw new Error(`Bug: stripe_gateway has no breaker ${name}`);
    return row;
  }

  get breakers(): readonly BreakerRow[] {
    return this.rows.breakers;
  }

  /** `key`: fingerprint of the key that the call would use; `operation` absent: any that nobody holds. */
  door(name: BreakerName, key: string, at: number, operation?: Operation): Door {
    const row = this.breaker(name);
    const shut = (retryAfterMs: number): Door => ({ open: false, probeDue: false, retryAfterMs: Math.max(1, retryAfterMs) });
    if (row.refused_keys.includes(key)) return shut(row.recovery_ms);
    const hold = operation === undefined ? undefined : this.holdOf(operation, key, at);
    if (hold) return shut(hold.until === null ? row.recovery_ms : hold.until - this.databaseTime(at));
    switch (row.state) {
      case 'closed':
        return { open: true, version: row.version };
      case 'open':
      case 'half_open': {
        const restMs = (row.retry_at ?? 0) - this.databaseTime(at);
        return restMs <= 0 || restMs > row.recovery_ms + CLOCK_SET_BACK_MS ? { open: false, probeDue: true } : shut(restMs);
      }
      case 'isolated':
      case 'auth':
        return shut(row.recovery_ms);
      default:
        return row.state satisfies never;
    }
  }

  private holdOf(operation: Operation, key: string, at: number): Hold | undefined {
    const named = operationName(operation);
    const now = this.databaseTime(at);
    return this.rows.holds.find(
      (hold) =>
        hold.operation === named &&
        (hold.key_fingerprint === '*' || hold.key_fingerprint === key) &&
        (hold.until === null || hold.until > now),
    );
  }

  /** Never earlier than the database's clock; later by the time that the answer took. */
  private databaseTime(at: number): number {
    return this.rows.now + (at - this.askedAt);
  }
}
