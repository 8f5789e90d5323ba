/** How many requests a second are answered, by wall time. Parts that are left out have no limit. */
export interface RateLimits {
  readonly accountPerSecond?: number;
  readonly endpointPerSecond?: number;
  /** Requests of the account, and of one endpoint, that run at the same time. */
  readonly accountConcurrent?: number;
  readonly endpointConcurrent?: number;
  /** Changes of one PaymentIntent in an hour of the virtual clock. */
  readonly intentUpdatesPerHour?: number;
}

/** What Stripe documents (docs.stripe.com/rate-limits); it publishes no numbers for concurrency. */
export const DOCUMENTED_RATE_LIMITS: Readonly<Record<'sandbox' | 'live', RateLimits>> = {
  sandbox: { accountPerSecond: 25, endpointPerSecond: 25, intentUpdatesPerHour: 1_000 },
  live: { accountPerSecond: 100, endpointPerSecond: 25, intentUpdatesPerHour: 1_000 },
};
