import { type VirtualClock } from '../clock/virtual-clock.js';
import { type RateLimits } from './rate-limits.js';
import { TokenBucket } from './token-bucket.js';

/** The values of `Stripe-Rate-Limited-Reason`. */
export type LimitedReason = 'global-rate' | 'endpoint-rate' | 'global-concurrency' | 'endpoint-concurrency' | 'resource-specific';

export interface LimitedRequest {
  readonly account: string;
  /** `POST /v1/refunds/{id}`. */
  readonly operation: string;
  readonly id: string;
}

const INTENT_CHANGE = /^POST \/v1\/payment_intents\/\{id\}/;

/** Stripe's rate limits, per account and per endpoint. They stand in front of the idempotency layer. */
export class RateLimiter {
  private readonly buckets = new Map<string, TokenBucket>();
  private readonly running = new Map<string, number>();
  private readonly changes = new Map<string, number>();
  private hour = 0;

  constructor(
    private readonly limits: RateLimits,
    private readonly clock: VirtualClock,
  ) {}

  /** Lets a request in, giving what to call at its end, or says which limit it met. */
  enter(request: LimitedRequest, nowMs: number): { readonly leave: () => void } | LimitedReason {
    const { accountPerSecond, endpointPerSecond, accountConcurrent, endpointConcurrent } = this.limits;
    const account = request.account;
    const endpoint = `${account} ${request.operation}`;
    if (!this.withinRate(account, accountPerSecond, nowMs)) return 'global-rate';
    if (!this.withinRate(endpoint, endpointPerSecond, nowMs)) return 'endpoint-rate';
    if (this.atOnce(account) >= (accountConcurrent ?? Infinity)) return 'global-concurrency';
    if (this.atOnce(endpoint) >= (endpointConcurrent ?? Infinity)) return 'endpoint-concurrency';
    if (!this.withinChanges(request)) return 'resource-specific';
    this.count(account, 1);
    this.count(endpoint, 1);
    return {
      leave: () => {
        this.count(account, -1);
        this.count(endpoint, -1);
      },
    };
  }

  private withinRate(name: string, perSecond: number | undefined, nowMs: number): boolean {
    if (perSecond === undefined) return true;
    const known = this.buckets.get(name);
    const bucket = known ?? new TokenBucket(perSecond, nowMs);
    if (known === undefined) this.buckets.set(name, bucket);
    return bucket.take(nowMs);
  }

  private withinChanges({ account, operation, id }: LimitedRequest): boolean {
    const limit = this.limits.intentUpdatesPerHour;
    if (limit === undefined || !INTENT_CHANGE.test(operation)) return true;
    const hour = Math.floor(this.clock.nowSeconds() / 3_600);
    if (hour !== this.hour) this.changes.clear();
    this.hour = hour;
    const name = `${account} ${id}`;
    const made = this.changes.get(name) ?? 0;
    if (made >= limit) return false;
    this.changes.set(name, made + 1);
    return true;
  }

  private atOnce(name: string): number {
    return this.running.get(name) ?? 0;
  }

  private count(name: string, change: number): void {
    const now = this.atOnce(name) + change;
    if (now === 0) this.running.delete(name);
    else this.running.set(name, now);
  }
}
