import { type VirtualClock } from '../clock/virtual-clock.js';
import { StripeError, coded, invalidParam } from '../http/errors.js';

const KEPT_SECONDS = 24 * 3600;
/** docs.stripe.com/api/idempotent_requests: v2 keeps its keys for 30 days. */
export const V2_KEPT_SECONDS = 30 * 86_400;
const MAX_KEY_LENGTH = 255;

/** A finished answer. `value` is an immutable tree, so keeping it costs nothing beyond the objects in it. */
export interface StoredAnswer {
  readonly status: number;
  readonly value: unknown;
}

export interface KeyRecord {
  readonly key: string;
  readonly path: string;
  readonly fingerprint: string;
  readonly requestId: string;
  readonly createdSeconds: number;
  answer?: StoredAnswer;
}

/**
 * Idempotency keys as v1 keeps them: the first answer of an execution (2xx, 402, most 400s and 500 alike) for 24 hours of the
 * virtual clock; validation failures, 401, 409 and 429 leave the key free.
 */
export class IdempotencyKeys {
  private readonly records = new Map<string, KeyRecord>();

  /** Above `limit` the oldest finished keys are forgotten early. */
  constructor(
    private readonly clock: VirtualClock,
    private readonly limit: number,
    private readonly keptSeconds = KEPT_SECONDS,
  ) {}

  /**
   * Claims a key for a request, or returns the record of the finished first request for replay.
   * Throws 409 while the first request runs and 400 for other parameters or another endpoint.
   */
  claim(request: { key: string; path: string; fingerprint: string; requestId: string }): { replay: KeyRecord } | { claimed: KeyRecord } {
    const { key, path, fingerprint } = request;
    if (key.length > MAX_KEY_LENGTH) throw invalidParam(`Idempotency key is too long: at most ${MAX_KEY_LENGTH} characters are accepted.`);
    this.prune();
    const known = this.records.get(key);
    if (known === undefined) {
      const claimed: KeyRecord = { ...request, createdSeconds: this.clock.nowSeconds() };
      this.records.set(key, claimed);
      return { claimed };
    }
    if (known.path !== path) throw mismatch(otherEndpoint(known.path, path, key));
    if (known.fingerprint !== fingerprint) throw mismatch(otherParameters(key));
    if (known.answer === undefined) throw keyInUse(key);
    return { replay: known };
  }

  store(record: KeyRecord, answer: StoredAnswer): void {
    record.answer = answer;
  }

  release(record: KeyRecord): void {
    if (this.records.get(record.key) === record) this.records.delete(record.key);
  }

  all(): KeyRecord[] {
    return [...this.records.values()];
  }

  restore(records: readonly KeyRecord[]): void {
    this.clear();
    for (const record of records) this.records.set(record.key, record);
  }

  clear(): void {
    this.records.clear();
  }

  /** Records are in order of age, so pruning looks only at those that go, at unfinished ones, and at the first that stays. */
  private prune(): void {
    const oldest = this.clock.nowSeconds() - this.keptSeconds;
    for (const record of this.records.values()) {
      if (record.createdSeconds > oldest && this.records.size < this.limit) return;
      if (record.answer !== undefined) this.records.delete(record.key);
    }
  }
}

/** 409 while the first request with this key still runs; the SDK retries it. */
export function keyInUse(key: string): StripeError {
  const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}`;
  return new StripeError(409, { type: 'idempotency_error', ...coded('idempotency_key_in_use'), message }, false);
}

function mismatch(message: string): StripeError {
  return new StripeError(400, { type: 'idempotency_error', message }, false);
}

function otherParameters(key: string): string {
  return `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
}

function otherEndpoint(first: string, now: string, key: string): string {
  return `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${now}' vs '${first}'). Try using a key other than '${key}' if you meant to execute a different request.`;
}
