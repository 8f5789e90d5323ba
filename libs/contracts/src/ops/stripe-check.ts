import { z } from 'zod';

/** What can be wrong between us and Stripe, worst first. */
export const STRIPE_CHECK_RESULTS = [
  /** The name of Stripe's host could not be resolved. */
  'dns',
  /** No connection: refused, unreachable. */
  'tcp',
  /** A connection, but no trusted TLS on it. */
  'tls',
  /** Something did not come within the deadline; `phase` says what. */
  'timeout',
  /** The connection broke before an answer was complete. */
  'connection_lost',
  /** An answer that is not Stripe's: a proxy, another server. */
  'bad_answer',
  /** Stripe answered with a 5xx. */
  'stripe_error',
  'rate_limited',
  /** Stripe refuses the key: wrong, expired, revoked. */
  'auth_error',
  /** Stripe knows the key and does not let it read the account. */
  'forbidden',
  /** Stripe does not know, or does not answer in, the version that everything here is written for. */
  'api_version_mismatch',
  /** Our clock and Stripe's are so far apart that signatures are at risk. */
  'clock_skew',
  'connected',
] as const;
export const StripeCheckResult = z.enum(STRIPE_CHECK_RESULTS);
export type StripeCheckResult = z.infer<typeof StripeCheckResult>;

export const CHECK_PHASES = ['dns', 'tcp', 'tls', 'answer'] as const;

export const StripeCheckView = z.object({
  object: z.literal('stripe_check'),
  /** The worst of `findings`, or `connected`. */
  result: StripeCheckResult,
  /** Everything that is wrong, worst first. */
  findings: z.array(z.object({ result: StripeCheckResult, detail: z.string() })),
  /** How far it came. */
  phase: z.enum(CHECK_PHASES),
  /** The process that asked, and when. */
  instance: z.string(),
  checked_at: z.iso.datetime(),
  api_base: z.string(),
  account: z.string().nullable(),
  /** By the prefix of the key. */
  livemode: z.boolean(),
  key: z.object({ kind: z.string().nullable(), fingerprint: z.string() }),
  http_status: z.int().nullable(),
  /** Stripe's own, to give to its support. */
  request_id: z.string().nullable(),
  api_version: z.object({ pinned: z.string(), answered: z.string().nullable() }),
  /** How much Stripe's clock is ahead of ours; null when there was no answer. */
  clock_skew_seconds: z.number().nullable(),
  /** Milliseconds from the start to the end of each phase that was passed. */
  timings: z.object({
    dns_ms: z.number().nullable(),
    tcp_ms: z.number().nullable(),
    tls_ms: z.number().nullable(),
    answer_ms: z.number().nullable(),
  }),
  /** Context for people: it lags real outages, and nothing here acts on it. */
  status_page: z.object({
    url: z.string(),
    reachable: z.boolean(),
    indicator: z.string().nullable(),
    description: z.string().nullable(),
    updated_at: z.string().nullable(),
    error: z.string().nullable(),
  }),
});
export type StripeCheckView = z.infer<typeof StripeCheckView>;
