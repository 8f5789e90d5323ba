import type { Metrics } from '@tidegate/telemetry/metrics';
import { CLOSE_REASONS, type CloseReason } from './connection.js';
import type { ResetReason } from './event-frame.js';

export interface StreamMetrics {
  sent(count: number): void;
  closed(reason: CloseReason): void;
  reset(reason: ResetReason): void;
  /** What is asked for at each scrape. */
  observe(now: { connections(): number; lagSeconds(): number }): void;
}

const RESET_REASONS: readonly ResetReason[] = ['epoch', 'below_floor'];

/** Of this process; all are 0 while the stream is switched off. */
export function streamMetrics(metrics: Metrics): StreamMetrics {
  let now: Parameters<StreamMetrics['observe']>[0] | undefined;
  metrics.gauge('billing_stream_connections', 'Clients that follow the billing stream at this process.', {}, (gauge) =>
    gauge.set(now?.connections() ?? 0),
  );
  metrics.gauge(
    'billing_stream_lag_seconds',
    'Time since this process last had every event that payments has published; up to 2 s while all is well.',
    {},
    (gauge) => gauge.set(now?.lagSeconds() ?? 0),
  );
  const sent = metrics.counter('billing_stream_events_sent_total', 'Events written to clients of the billing stream.');
  const closed = metrics.counter(
    'billing_stream_closed_total',
    'Connections of the billing stream that ended: client (it left), age (the cap), slow (cut off), key (its API key ended), room (made for another tenant), shutdown.',
    { reason: CLOSE_REASONS },
  );
  const reset = metrics.counter('billing_stream_resets_total', 'Clients told that what they missed cannot be given to them any more.', {
    reason: RESET_REASONS,
  });
  return {
    sent: (count) => sent.inc(count),
    closed: (reason) => closed.inc({ reason }),
    reset: (reason) => reset.inc({ reason }),
    observe: (source) => {
      now = source;
    },
  };
}
