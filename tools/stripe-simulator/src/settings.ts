import { type RateLimits } from './limits/rate-limits.js';

/** Everything that can be set, in milliseconds of the virtual clock unless it says wall. */
export interface Settings {
  /** Secret keys that are accepted; empty accepts any `sk_test_` or `rk_test_` key. */
  readonly apiKeys: readonly string[];
  readonly seed: number;
  /** The account's default version: used when a request names none. */
  readonly accountApiVersion: string;
  /** Waits before each further delivery attempt of a webhook. */
  readonly deliverySchedule: readonly number[];
  /** Wall time after which a silent endpoint counts as failed. */
  readonly deliveryTimeoutMs: number;
  /** How long after an asynchronous capture the balance transaction appears. */
  readonly balanceDelayMs: number;
  /** How long a refund of the pending or failing test cards stays in its first state. */
  readonly refundUpdateDelayMs: number;
  /** Processing fee: parts per ten thousand and a fixed amount in minor units. */
  readonly feeBasisPoints: number;
  readonly feeFixed: number;
  readonly availableAfterSeconds: number;
  /** The one currency of the balance, and what a minor unit of the others is worth in it. Null: every currency has a balance of its own. */
  readonly settlement: { readonly currency: string; readonly rates: Readonly<Record<string, number>> } | null;
  /** How long a bank debit is processing; the slow test accounts take 60 times as long. */
  readonly debitDelayMs: number;
  /** What Stripe charges for a chargeback, in minor units of the charge's currency. */
  readonly disputeFee: number;
  /** How long after its success the charge of a dispute test card is disputed. */
  readonly disputeDelayMs: number;
  /** How long the merchant has to answer a dispute. */
  readonly disputeResponseSeconds: number;
  /** How long the bank reads Stripe's test evidence. */
  readonly disputeDecisionMs: number;
  /** How long a payout is pending before it is on its way. */
  readonly payoutTransitSeconds: number;
  /** How long after its creation a payout is paid. */
  readonly payoutArrivalSeconds: number;
  /** Uncaptured authorizations are cancelled after this many seconds. */
  readonly authorizationSeconds: number;
  /** Null, the default, has no limits; `DOCUMENTED_RATE_LIMITS` has Stripe's. */
  readonly rateLimits: RateLimits | null;
  /** Wall time that a request waits for an object which another one holds, before 429 `lock_timeout`. */
  readonly lockWaitMs: number;
  /** The newest requests, delivery attempts and idempotency keys that are remembered. Keys also go by their age. */
  readonly keptRequests: number;
  readonly keptDeliveries: number;
  readonly keptIdempotencyKeys: number;
  /** How long a draft that advances by itself stays a draft. */
  readonly invoiceDraftSeconds: number;
  /** Waits before each further automatic attempt at an invoice that could not be collected. */
  readonly invoiceRetrySeconds: readonly number[];
  /** What becomes of a subscription after the last of them. */
  readonly afterLastRetry: 'cancel' | 'unpaid' | 'past_due';
  /** How long the first invoice of a subscription may stay unpaid. */
  readonly incompleteSeconds: number;
  /** Compares every answer and event with the API description; deviations are logged and in `world.selfCheck`. Slow: for tests. */
  readonly selfCheck: boolean;
}

export const DEFAULT_SETTINGS: Omit<Settings, 'seed'> = {
  apiKeys: [],
  accountApiVersion: '2026-08-26.dahlia',
  deliverySchedule: [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 86_400_000],
  deliveryTimeoutMs: 10_000,
  balanceDelayMs: 1_000,
  refundUpdateDelayMs: 3_000,
  feeBasisPoints: 290,
  feeFixed: 30,
  availableAfterSeconds: 2 * 86_400,
  settlement: null,
  debitDelayMs: 3_000,
  disputeFee: 1_500,
  disputeDelayMs: 0,
  disputeResponseSeconds: 14 * 86_400,
  disputeDecisionMs: 3_000,
  payoutTransitSeconds: 3_600,
  payoutArrivalSeconds: 2 * 86_400,
  authorizationSeconds: 7 * 86_400,
  rateLimits: null,
  lockWaitMs: 2_000,
  keptRequests: 100_000,
  keptDeliveries: 100_000,
  keptIdempotencyKeys: 200_000,
  invoiceDraftSeconds: 3_600,
  invoiceRetrySeconds: [3 * 86_400, 5 * 86_400, 7 * 86_400],
  afterLastRetry: 'cancel',
  incompleteSeconds: 23 * 3_600,
  selfCheck: false,
};
