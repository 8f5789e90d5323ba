import { type Dashboard } from './panel.js';

const STATES = { 0: 'closed', 1: 'open', 2: 'half-open', 3: 'isolated', 4: 'auth' };
const ENDED = 'result=~"declined|failed|succeeded|authorized"';
const DELIVERED = 'result=~"accepted|duplicate|ignored|foreign"';
const ended = (result: string) => `sum(increase(payments_attempts_total{result=~"${result}"}[5m]))`;
const checkouts = (result: string) => `sum(increase(checkout_sessions_total{result=~"${result}"}[30m]))`;
/** Of each of many routes or operations only those that were used: without calls a quantile is not a number, and fills the legend. */
const quantile = (q: number, metric: string, by = 'le', selector = '') =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${metric}_bucket${selector}[5m])))${by === 'le' ? '' : ' >= 0'}`;
const ratioOf = (good: string, all: string) => `${good} / (${all} > 0)`;

/** Every dashboard. What an alert's link leads to is the first panels. */
export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: 'tidegate-overview',
    title: 'Tidegate: business',
    description: 'Payments, checkouts and what waits.',
    panels: [
      {
        title: 'Payments by how they ended',
        queries: { 'sum by (result) (rate(payments_attempts_total[5m]))': '{{result}}' },
        unit: 'ops',
      },
      {
        title: 'Share that failed',
        queries: {
          [`${ended('declined|failed')} / clamp_min(sum(increase(payments_attempts_total{${ENDED}}[5m])), 1)`]: 'declined or failed',
        },
        unit: 'percentunit',
        limit: 0.1,
      },
      {
        title: 'Oldest that is pending',
        queries: {
          'max by (status) (payments_pending_oldest_seconds)': '{{status}}',
          'max(payments_without_intent_oldest_seconds)': 'unknown, without PaymentIntent',
        },
        unit: 's',
        limit: 1800,
      },
      {
        title: 'Waiting for another try',
        queries: { 'max(payments_retry_queue_depth)': 'payments', 'max(checkout_late_success_held)': 'late successes held' },
        limit: 200,
      },
      {
        title: 'Requests, p95',
        queries: { [quantile(0.95, 'http_request_duration_seconds', 'le, route', '{service="gateway"}')]: '{{route}}' },
        unit: 's',
        limit: 5,
      },
      {
        title: 'Requests by status',
        queries: { 'sum by (status) (rate(http_request_duration_seconds_count{service="gateway"}[5m]))': '{{status}}' },
        unit: 'ops',
      },
      { title: 'Checkouts', queries: { 'sum by (result) (increase(checkout_sessions_total[30m]))': '{{result}}' } },
      {
        title: 'Checkouts that succeeded',
        queries: {
          [`${checkouts('completed|late_success')} / clamp_min(${checkouts('completed|late_success|payment_failed|rejected')}, 1)`]:
            'of those that came to an end',
        },
        unit: 'percentunit',
      },
      {
        title: 'Windows overdue',
        queries: { 'max(payments_window_overdue)': 'checkouts', 'max(payments_window_overdue_oldest_seconds)': 'oldest, seconds' },
      },
      {
        title: 'From acceptance to the end, p50 and p95',
        queries: { [quantile(0.5, 'payments_duration_seconds')]: 'p50', [quantile(0.95, 'payments_duration_seconds')]: 'p95' },
        unit: 's',
      },
      { title: 'Idempotency keys', queries: { 'sum by (result) (rate(payments_idempotency_total[5m]))': '{{result}}' }, unit: 'ops' },
      { title: 'Disputes', queries: { 'max by (status) (payments_disputes)': '{{status}}' } },
      { title: 'Usage that waits', queries: { 'max(usage_events_buffered)': 'events', 'max(usage_events_parked)': 'parked' } },
      { title: 'Processes', queries: { 'sum by (service) (up{job="tidegate"})': '{{service}}' } },
      { title: 'Database connections that are waited for', queries: { 'max by (service) (db_pool_waiting)': '{{service}}' }, limit: 1 },
    ],
  },
  {
    uid: 'tidegate-stripe',
    title: 'Tidegate: Stripe and its breakers',
    description: 'Are calls made, how long do they take, who is refused.',
    panels: [
      {
        title: 'Stripe Circuit State',
        kind: 'state-timeline',
        queries: { 'max by (breaker_name) (circuit_state)': '{{breaker_name}}' },
        words: STATES,
      },
      { title: 'Calls by result', queries: { 'sum by (result) (rate(stripe_requests_total[5m]))': '{{result}}' }, unit: 'ops' },
      {
        title: 'Calls, p95 by operation',
        queries: { [quantile(0.95, 'stripe_request_duration_seconds', 'operation, le')]: '{{operation}}' },
        unit: 's',
        limit: 5,
      },
      {
        title: 'Calls without an answer',
        queries: { 'sum by (operation) (rate(stripe_requests_total{result="unknown"}[5m]))': '{{operation}}' },
        unit: 'ops',
      },
      {
        title: 'Calls a second, and how many may be made',
        queries: { 'sum(rate(stripe_requests_total[1m]))': 'made', 'min(stripe_request_rate_limit)': 'allowed' },
        unit: 'ops',
      },
      {
        title: 'Waiting and under way',
        queries: {
          'sum by (kind) (stripe_calls_waiting)': 'waiting, {{kind}}',
          'sum by (kind) (stripe_calls_in_flight)': 'under way, {{kind}}',
        },
      },
      { title: 'Operations held', queries: { 'max by (breaker_name) (circuit_held_operations)': '{{breaker_name}}' }, limit: 1 },
      {
        title: 'Jobs that Stripe stopped',
        queries: { 'sum by (exported_job) (increase(job_errors_total{error_type="stripe_unavailable"}[5m]))': '{{exported_job}}' },
      },
      {
        title: 'Retries by how they ended',
        queries: { 'sum by (result) (rate(payments_retry_attempts_total[5m]))': '{{result}}' },
        unit: 'ops',
      },
    ],
  },
  {
    uid: 'tidegate-webhooks',
    title: 'Tidegate: webhooks',
    description: 'What Stripe tells us.',
    panels: [
      {
        title: 'Deliveries by what became of them',
        queries: { 'sum by (result) (rate(stripe_webhook_events_total[5m]))': '{{result}}' },
        unit: 'ops',
      },
      {
        title: 'Delivered, of all events',
        queries: {
          [`sum(increase(stripe_webhook_events_total{${DELIVERED}}[15m])) / clamp_min(sum(increase(stripe_webhook_events_total{result!="bad_signature"}[15m])) + sum(increase(stripe_events_missed_total[15m])), 1)`]:
            'delivered',
        },
        unit: 'percentunit',
      },
      { title: 'Waiting to be published', queries: { 'max(stripe_webhook_lag_seconds)': 'oldest' }, unit: 's', limit: 60 },
      {
        title: 'Most frequent events',
        queries: { 'topk(10, sum by (event_type) (rate(stripe_webhook_events_total[15m])))': '{{event_type}}' },
        unit: 'ops',
      },
      { title: 'Found by the sweep', queries: { 'sum(increase(stripe_events_missed_total[15m]))': 'never delivered' } },
      {
        title: 'Sweep',
        queries: { 'max(stripe_sweep_behind_seconds)': 'behind', 'max(stripe_events_unlisted_seconds)': 'lost' },
        unit: 's',
      },
      {
        title: 'Acknowledged, p50 and p99',
        queries: {
          [quantile(0.5, 'http_request_duration_seconds', 'le', '{service="webhooks",route="/webhooks/stripe"}')]: 'p50',
          [quantile(0.99, 'http_request_duration_seconds', 'le', '{service="webhooks",route="/webhooks/stripe"}')]: 'p99',
        },
        unit: 's',
        limit: 1,
      },
      {
        title: 'Replayed',
        queries: {
          'sum(increase(stripe_events_replayed_total[15m]))': 'events',
          'max by (status) (webhook_replays_unfinished)': 'replays {{status}}',
        },
      },
      {
        title: 'Billing stream',
        queries: { 'sum(billing_stream_connections)': 'clients', 'max(billing_stream_lag_seconds)': 'lag, seconds' },
      },
    ],
  },
  {
    uid: 'tidegate-reconciliation',
    title: 'Tidegate: reconciliation and ledger',
    description: 'Do Stripe and we say the same?',
    panels: [
      {
        title: 'Last success',
        kind: 'stat',
        unit: 's',
        queries: {
          'time() - max(billing_reconciliation_last_success_timestamp)': 'run of days',
          'time() - max(billing_reconciliation_rolling_last_success_timestamp)': 'rolling compare',
        },
        limit: 90_000,
      },
      {
        title: 'Disagreements named',
        queries: { 'sum by (class) (increase(billing_reconciliation_discrepancies_total[1h]))': '{{class}}' },
        limit: 1,
      },
      { title: 'Runs', queries: { 'sum by (result) (increase(billing_reconciliation_runs_total[1h]))': '{{result}}' } },
      {
        title: 'Length of runs, p95 of a day',
        queries: { 'histogram_quantile(0.95, sum by (le) (increase(billing_reconciliation_duration_seconds_bucket[1d])))': 'p95' },
        unit: 's',
      },
      {
        title: 'Errors of jobs',
        queries: {
          'sum by (exported_job, error_type) (increase(job_errors_total{service="reconciliation"}[15m]))':
            '{{exported_job}} {{error_type}}',
        },
      },
      { title: 'Balance transactions read', queries: { 'time() - max(ledger_balance_read_timestamp)': 'age' }, unit: 's' },
      {
        title: 'Sales that wait for their fee',
        queries: { 'max(ledger_fees_pending)': 'sales', 'max(ledger_fees_pending_oldest_seconds)': 'oldest, seconds' },
      },
      { title: 'Usage counters that nobody has compared', queries: { 'max(usage_counters_stale)': 'counters' } },
      { title: 'Usage that is not reported', queries: { 'max(usage_oldest_unreported_seconds)': 'oldest' }, unit: 's', limit: 7200 },
    ],
  },
  {
    uid: 'tidegate-receipts',
    title: 'Tidegate: receipts',
    description: 'A document for each payment.',
    panels: [
      { title: 'Oldest without a document', queries: { 'max(receipts_missing_oldest_seconds)': 'receipt' }, unit: 's', limit: 300 },
      { title: 'Failed attempts', queries: { 'sum by (error) (increase(payments_receipt_errors_total[10m]))': '{{error}}' }, limit: 1 },
      {
        title: 'Time to make one, p50 and p95',
        queries: {
          [quantile(0.5, 'receipts_render_duration_seconds')]: 'p50',
          [quantile(0.95, 'receipts_render_duration_seconds')]: 'p95',
        },
        unit: 's',
      },
      { title: 'Made', queries: { 'sum(rate(receipts_render_duration_seconds_count[5m]))': 'documents' }, unit: 'ops' },
      { title: 'Set aside', queries: { 'max by (consumer) (dead_letters{consumer=~"receipts-.*"})': '{{consumer}}' }, limit: 1 },
      { title: 'Waiting', queries: { 'max by (consumer) (inbox_pending{consumer=~"receipts-.*"})': '{{consumer}}' } },
    ],
  },
  {
    uid: 'tidegate-messaging',
    title: 'Tidegate: JetStream, outbox and inbox',
    description: 'Does what is committed get to everybody?',
    panels: [
      { title: 'Committed and not published', queries: { 'max by (service) (outbox_unpublished)': '{{service}}' } },
      {
        title: 'Oldest that is not published',
        queries: { 'max by (service) (outbox_oldest_seconds)': '{{service}}' },
        unit: 's',
        limit: 30,
      },
      { title: 'Canary', queries: { 'max by (service) (broker_canary_seconds)': '{{service}}' }, unit: 's', limit: 10 },
      { title: 'Waiting to be handled', queries: { 'max by (consumer) (inbox_pending)': '{{consumer}}' } },
      { title: 'Oldest that waits', queries: { 'max by (consumer) (inbox_oldest_seconds)': '{{consumer}}' }, unit: 's', limit: 120 },
      { title: 'Dead letters', queries: { 'max by (consumer) (dead_letters)': '{{consumer}}' }, limit: 1 },
      {
        title: 'Streams: how full',
        queries: { 'max by (service) (broker_stream_fill_ratio)': '{{service}}' },
        unit: 'percentunit',
        limit: 0.8,
      },
      { title: 'Streams lost', queries: { 'sum by (service) (increase(broker_stream_lost_total[15m]))': '{{service}}' }, limit: 1 },
      { title: 'Event replays', queries: { 'max by (status) (event_replays)': '{{status}}' } },
    ],
  },
  {
    uid: 'tidegate-slo',
    title: 'Tidegate: objectives',
    description: 'What is promised over 30 days, and how fast the budget for failures is used: 1 uses it up in 30 days.',
    panels: [
      {
        title: 'API: budget burn (99.95 %)',
        queries: Object.fromEntries(
          ['1h', '6h', '3d'].map((window) => [
            `(sum(increase(http_request_duration_seconds_count{service="gateway",route=~"/v1/.*",status=~"5.."}[${window}])) or vector(0)) / clamp_min(sum(increase(http_request_duration_seconds_count{service="gateway",route=~"/v1/.*"}[${window}])), 1) / 0.0005`,
            window,
          ]),
        ),
        limit: 1,
      },
      {
        title: 'Webhooks acknowledged within a second (99.9 %)',
        queries: {
          [ratioOf(
            'sum(increase(http_request_duration_seconds_bucket{service="webhooks",route="/webhooks/stripe",status="200",le="1"}[1h]))',
            'sum(increase(http_request_duration_seconds_count{service="webhooks",route="/webhooks/stripe",status!~"4.."}[1h]))',
          )]: 'of deliveries',
        },
        unit: 'percentunit',
      },
      {
        title: 'Time in which no event waits for 5 s (99.9 %)',
        queries: { '1 - avg_over_time((max(inbox_oldest_seconds) > bool 5)[1h:15s])': 'of the time' },
        unit: 'percentunit',
      },
      {
        title: 'Time in which no payment is unknown for a minute (99.5 %)',
        queries: { '1 - avg_over_time((max(payments_pending_oldest_seconds{status="unknown"}) > bool 60)[1h:15s])': 'of the time' },
        unit: 'percentunit',
      },
      {
        title: 'Time in which a breaker was open (counted apart)',
        queries: { 'avg_over_time((max(circuit_state{breaker_name="stripe"}) > bool 0)[1h:15s])': 'of the time' },
        unit: 'percentunit',
      },
      { title: 'Alerts', queries: { 'count by (alertname, severity) (ALERTS{alertstate="firing"})': '{{alertname}} {{severity}}' } },
    ],
  },
];

/** Every expression, with the dashboard and the panel that has it. */
export const expressions = (): { where: string; expr: string }[] =>
  DASHBOARDS.flatMap(({ uid, panels }) =>
    panels.flatMap(({ title, queries }) => Object.keys(queries).map((expr) => ({ where: `${uid}: ${title}`, expr }))),
  );
