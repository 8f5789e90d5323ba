/** One order for `POST /__faults`. */
export interface FaultOrder {
  fault: string;
  [parameter: string]: unknown;
}

/**
 * Everything that Stripe, the network and its deliveries can do to us, as it is ordered for one window of a random run. `calls` meet our requests,
 * `deliveries` its webhooks, `later` what it does to money afterwards; one of each kind is in force at a time.
 */
export const FAULT_MENU: Readonly<Record<'calls' | 'deliveries' | 'later', readonly FaultOrder[]>> = {
  calls: [
    { fault: 'refuse', probability: 0.3 },
    { fault: 'hang', probability: 0.1 },
    { fault: 'slow', probability: 0.3, ms: 400 },
    { fault: 'late_effect', probability: 0.1, ms: 800, route: 'POST /v1/*' },
    { fault: 'reset_before', probability: 0.3 },
    { fault: 'reset_after', probability: 0.3 },
    { fault: 'cut_body', probability: 0.3 },
    { fault: 'error_500_before', probability: 0.2 },
    { fault: 'error_500_after', probability: 0.2 },
    { fault: 'error_500_late', probability: 0.1, ms: 800, route: 'POST /v1/*' },
    { fault: 'error_502_html', probability: 0.3 },
    { fault: 'error_503', probability: 0.9 },
    { fault: 'rate_limit', probability: 0.3 },
    { fault: 'lock_timeout', probability: 0.3, route: 'POST /v1/*' },
    { fault: 'auth_expired', times: 2 },
    { fault: 'forbidden', times: 2 },
    { fault: 'key_in_use', probability: 0.2, route: 'POST /v1/*' },
    { fault: 'list_lag', probability: 0.5, ms: 1_000, route: 'GET /v1/*' },
  ],
  deliveries: [
    { fault: 'webhook_drop', probability: 0.3 },
    { fault: 'webhook_duplicate', probability: 0.5, copies: 3 },
    { fault: 'webhook_delay', probability: 0.5, ms: 1_500 },
    { fault: 'webhook_reorder', probability: 0.5 },
    { fault: 'webhook_two_events', probability: 0.3 },
    { fault: 'webhook_bad_signature', probability: 0.3 },
    { fault: 'webhook_two_signatures', probability: 0.5 },
    { fault: 'webhook_skew', probability: 0.2, ms: 600_000 },
  ],
  later: [
    { fault: 'late_balance', probability: 0.5, ms: 1_500 },
    { fault: 'late_failure', probability: 0.3, route: 'POST /v1/refunds', ms: 1_000 },
    { fault: 'late_dispute', probability: 0.2, ms: 1_000 },
  ],
};

export const FAULTS: readonly string[] = Object.values(FAULT_MENU).flatMap((orders) => orders.map((order) => order.fault));
