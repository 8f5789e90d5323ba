import { documented, wholeNumber } from '@tidegate/service-host/settings';

/** What every service that calls Stripe may be told about its calls. Spread into its settings. */
export const callSettings = () => ({
  STRIPE_SLOW_CALL_MS: documented(wholeNumber({ min: 50, max: 60_000 }).default(5_000), {
    doc: 'A call to Stripe that takes longer counts as failed for the circuit breaker, whatever its answer.',
    unit: 'milliseconds',
  }),
  STRIPE_MAX_IN_FLIGHT: documented(wholeNumber({ min: 2, max: 10_000 }).default(50), {
    doc: 'Most calls to Stripe that one process has under way at once; reads take half of the places at most.',
    unit: 'calls',
  }),
});
