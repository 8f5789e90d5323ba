/** A drill as the table tells of it; what it does is in chaos/src/drills. */
export interface DrillEntry {
  /** What is broken, in a few words. */
  fault: string;
  /** The alerts that must fire, first the one whose page is followed. */
  alerts: readonly [string, ...string[]];
  /** Alerts that fire on the way, while the page is followed. */
  later?: readonly string[];
  /** Page of docs/runbooks whose blocks are run. */
  page: string;
}

export const DRILLS = {
  'breaker-open': { fault: 'Stripe answers every call with 503', alerts: ['StripeCircuitOpen'], page: 'stripe-circuit-open' },
  'processor-down': { fault: 'Stripe answers 503 for longer', alerts: ['PaymentProcessorDown'], page: 'stripe-is-down' },
  'key-refused': { fault: 'Stripe answers 401', alerts: ['StripeAuthRejected'], page: 'stripe-auth-rejected' },
  'breaker-isolated': { fault: 'somebody isolated a breaker and went home', alerts: ['StripeIsolated'], page: 'stripe-isolated' },
  'reconciliation-missing': {
    fault: 'the schedule is off, and the last success is 26 hours old',
    alerts: ['BillingReconciliationMissing'],
    page: 'billing-reconciliation-missing',
  },
  'webhook-endpoint-broken': {
    fault: 'the endpoint is disabled at Stripe',
    alerts: ['WebhookIngestStalled'],
    page: 'webhook-ingest-stalled',
  },
  'bad-signatures': { fault: 'deliveries with wrong signatures', alerts: ['WebhookSignatureFailures'], page: 'webhook-signature-failures' },
  'stuck-pending-payments': {
    fault: 'answers of Stripe are lost, and look-ups fail',
    alerts: ['PaymentsPendingOld', 'PaymentsUnknownOld'],
    page: 'payments-pending-old',
  },
  'receipt-failures': {
    fault: 'a release whose engine fails at every document',
    alerts: ['ReceiptErrors', 'ReceiptMissing'],
    page: 'receipt-errors',
  },
  'broker-store-lost': {
    fault: 'the broker is killed, and comes back with an empty store',
    alerts: ['BrokerStoreLost', 'BrokerCanaryFailed'],
    page: 'broker-store-lost',
  },
  'window-not-expiring': {
    fault: 'Stripe closes no page, and a window ended 20 minutes ago',
    alerts: ['PaymentWindowNotExpiring'],
    page: 'payment-window-not-expiring',
  },
  backlog: { fault: 'a rate limit far below what comes in', alerts: ['PaymentsRetryBacklog'], page: 'payments-retry-backlog' },
  'service-down': { fault: 'the only process of a service is killed', alerts: ['TidegateDown'], page: 'tidegate-down' },
  restore: {
    fault: 'the database is lost, and the backup is older than the last payments',
    alerts: ['PostgresAway'],
    later: ['RequestsHeld'],
    page: 'database-lost',
  },
} as const satisfies Record<string, DrillEntry>;
export type DrillName = keyof typeof DRILLS;

/** Alerts without a drill, and why. Each has its cases of promtool and its page like all others. */
export const WITHOUT_DRILL: Readonly<Record<string, string>> = {
  ApiErrorBudgetBurn:
    'Quiet while Stripe is away, by inhibition; 5xx of our own need a defect to be planted. Its figures are in the cases.',
  BrokerStoreNearLimit: 'libs/messaging/test/nats-canary.int.spec.ts fills a stream and reads the ratio.',
  CheckoutSuccessLow: 'Needs dozens of payers and their banks; counters and ratio are in the cases.',
  ClockSkew: 'The clock of the machine is not ours to set.',
  ConsumerStalled: 'A handler that does not get on needs a defect to be planted.',
  DeadLetters: 'A message that can never be handled needs a defect to be planted; tools/cli/test does so and runs the commands.',
  EventLagBudgetBurn: 'As ConsumerStalled, over days.',
  EventsBelowFloor: 'Needs an outbox that somebody has pruned; libs/messaging/test prunes one.',
  LedgerBalanceNotRead: 'services/reconciliation/test/ledger.int.spec.ts has the sweep fail, and ledger-check.int.spec.ts stand still.',
  LedgerImbalance: 'services/reconciliation/test/ledger-check.int.spec.ts brings it about and repairs it.',
  OutboxLag: 'Fires in the drill broker-store-lost, where the cause inhibits it; what else brings it about needs a defect.',
  PaymentCompletionBudgetBurn: 'As PaymentsUnknownOld, over days.',
  PaymentFailureRatio: 'Declines are the banks’; the ratio is in the cases.',
  PaymentLatencyHigh: 'Fires together with StripeSlow, below the point at which the breaker opens.',
  PostgresPoolExhausted: 'What exhausts it on a laptop, exhausts the laptop.',
  ReconciliationDrift: 'services/reconciliation/test brings about every class and repairs it.',
  ReconciliationStale: 'Fires when BillingReconciliationMissing would, a day earlier; the rolling compare has no switch but its setting.',
  SeriesAbsent: 'Needs a release without a metric; the cases take one away.',
  StripeOperationHeld: 'tools/cli/test/states has a 403 hold an operation and lets it go.',
  StripeRateLimited: 'chaos/src/outage.e2e.spec.ts has Stripe answer 429 under load.',
  StripeSlow: 'chaos/src/outage.e2e.spec.ts has Stripe be slow under load, until the breaker opens.',
  SubscriptionRequestOld: 'services/payments/test/stuck-subscription-commands.int.spec.ts brings it about and follows what the page says.',
  TidegateNotReady: 'libs/service-host/test/readiness.int.spec.ts fills the broker’s store and reads the gauge.',
  UsageUnreported: 'As StripeCircuitOpen for stripe_usage, hours later.',
  Watchdog: 'Fires in every drill: it is what says that the way to Alertmanager works.',
  WebhookAckBudgetBurn: 'Needs a database that is slow for an hour.',
  WebhookBacklogOld: 'As BrokerCanaryFailed, for webhooks.',
  WebhookDeliveryLow: 'As WebhookIngestStalled, for a part of the deliveries.',
  WebhookSweepBehind: 'Needs three days without Stripe’s lists.',
};
