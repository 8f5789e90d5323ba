import { type StackOptions } from '@tidegate/local-stack/stack/stack-options';

/** Several of each service that keeps something; calls that hang do so for a second and a half, breakers open and close within seconds, and late successes are given back. */
export const TORMENTED: Partial<StackOptions> = {
  replicas: { gateway: 2, payments: 3, webhooks: 2, receipts: 2, reconciliation: 2 },
  env: {
    '*': {
      STRIPE_DEADLINE_MS: '1500',
      PAYMENT_RUN_MS: '3000',
      PAYMENT_ANSWER_MS: '3500',
      GATEWAY_ANSWER_MS: '4000',
      CIRCUIT_BREAKER_FAILURE_THRESHOLD: '10',
      CIRCUIT_BREAKER_ROLLING_WINDOW: '5',
      CIRCUIT_BREAKER_RECOVERY_TIMEOUT: '1',
      LATE_SUCCESS_POLICY: 'refund',
    },
  },
};
