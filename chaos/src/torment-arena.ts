import { type StackOptions } from '@tidegate/local-stack/stack/stack-options';

/** Two of each service that keeps something; calls that hang do so for a second and a half. */
export const TORMENTED: Partial<StackOptions> = {
  replicas: { gateway: 2, payments: 2, webhooks: 2, receipts: 2, reconciliation: 2 },
  env: { '*': { STRIPE_DEADLINE_MS: '1500' } },
};
