import { describe, expect, it } from '@jest/globals';
import { createMetrics } from './metrics.js';

describe('Metrics of a service', () => {
  it('have every known series from start-up, at 0', async () => {
    const metrics = createMetrics('webhooks');
    metrics.counter('stripe_webhook_events_total', 'events', { result: ['accepted', 'duplicate'] });
    metrics.histogram('receipts_render_duration_seconds', 'render', {});

    const text = await metrics.registry.metrics();

    expect(text).toContain('stripe_webhook_events_total{result="accepted"} 0');
    expect(text).toContain('stripe_webhook_events_total{result="duplicate"} 0');
    expect(text).toContain('receipts_render_duration_seconds_count 0');
  });

  it('join when two parts of a service ask for the same name', async () => {
    const metrics = createMetrics('receipts');
    metrics.gauge('inbox_pending', 'pending', { consumer: ['a'] }, (gauge) => gauge.set({ consumer: 'a' }, 3));
    metrics.gauge('inbox_pending', 'pending', { consumer: ['b'] }, (gauge) => gauge.set({ consumer: 'b' }, 4));

    const text = await metrics.registry.metrics();

    expect(text).toContain('inbox_pending{consumer="a"} 3');
    expect(text).toContain('inbox_pending{consumer="b"} 4');
  });

  it('still answer when a value cannot be collected', async () => {
    const metrics = createMetrics('payments');
    metrics.gauge('outbox_unpublished', 'rows', {}, () => Promise.reject(new Error('database away')));

    expect(await metrics.registry.metrics()).toContain('outbox_unpublished 0');
  });

  it('answer within seconds when a value never comes, with what was known last', async () => {
    const metrics = createMetrics('payments');
    let known = true;
    metrics.gauge('outbox_unpublished', 'rows', {}, (gauge) => {
      if (!known) return new Promise(() => undefined);
      gauge.set(7);
      return undefined;
    });
    metrics.gauge('inbox_pending', 'pending', {}, (gauge) => gauge.set(3));
    await metrics.registry.metrics();
    known = false;

    const text = await metrics.registry.metrics();

    expect(text).toContain('outbox_unpublished 7');
    expect(text).toContain('inbox_pending 3');
  }, 9_000);
});
