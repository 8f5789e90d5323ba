import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { metricsReference } from './metrics-reference.js';

function registered(register: (metrics: ReturnType<typeof createMetrics>) => unknown) {
  const metrics = createMetrics('test');
  register(metrics);
  return metrics.registered();
}

describe('The list of metrics', () => {
  it('has each metric once, with its type, the label values of all services, who exports it, and its meaning', () => {
    const pending = (consumer: string) =>
      registered((metrics) => metrics.gauge('inbox_pending', 'Waiting | stored.', { consumer: [consumer] }));
    const text = metricsReference([
      { service: 'payments', metrics: [...pending('b'), ...registered((metrics) => metrics.counter('runs_total', 'Runs.'))] },
      { service: 'receipts', metrics: pending('a') },
    ]);

    expect(text).toContain('| `inbox_pending` | gauge | `consumer`: a, b | all | Waiting \\| stored. |');
    expect(text).toContain('| `runs_total` | counter |  | payments | Runs. |');
  });

  it('says when label values are many or open', () => {
    const many = Array.from({ length: 13 }, (_, index) => `v${index}`);
    const text = metricsReference([
      { service: 'payments', metrics: registered((metrics) => metrics.histogram('seconds', 'Time.', { route: [], operation: many })) },
    ]);
    expect(text).toContain('| `route`: as they come; `operation`: 13 known values |');
  });

  it('refuses one name with two meanings', () => {
    const meaning = (service: string, help: string) => ({ service, metrics: registered((metrics) => metrics.gauge('depth', help)) });
    expect(() => metricsReference([meaning('a', 'Rows.'), meaning('b', 'Bytes.')])).toThrow('depth is two things');
  });
});
