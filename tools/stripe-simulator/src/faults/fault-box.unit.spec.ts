import { describe, expect, it } from '@jest/globals';
import { FaultBox } from './fault-box.js';
import { type FaultSpec } from './fault.js';

function hits(spec: FaultSpec, requests: number, seed = 1): string {
  const box = new FaultBox(seed);
  box.add(spec);
  return Array.from({ length: requests }, () => (box.takeHttp('POST', '/v1/refunds') === undefined ? '.' : 'x')).join('');
}

describe('How often a fault hits', () => {
  it.each<[string, FaultSpec, string]>([
    ['once by default', { fault: 'hang' }, 'x.....'],
    ['the nth match', { fault: 'hang', nth: 3 }, '..x...'],
    ['several from the nth', { fault: 'hang', nth: 2, times: 3 }, '.xxx..'],
    ['always with times 0', { fault: 'hang', times: 0 }, 'xxxxxx'],
    ['always while a duration lasts', { fault: 'hang', duration_ms: 60_000 }, 'xxxxxx'],
    ['never after its duration', { fault: 'hang', duration_ms: 0 }, '......'],
    ['by chance, certain', { fault: 'hang', probability: 1 }, 'xxxxxx'],
    ['by chance, never', { fault: 'hang', probability: 0 }, '......'],
  ])('%s', (_, spec, pattern) => {
    expect(hits(spec, 6)).toBe(pattern);
  });

  it('is the same for the same seed', () => {
    const spec = { fault: 'hang', probability: 0.5, seed: 9 } as const;
    expect(hits(spec, 64, 1)).toBe(hits(spec, 64, 2));
    expect(hits(spec, 64)).not.toBe(hits({ ...spec, seed: 10 }, 64));
  });
});

describe('A fault is spent', () => {
  it.each<[string, FaultSpec, boolean]>([
    ['when it has hit as often as it should', { fault: 'hang' }, true],
    ['not while it may hit again', { fault: 'hang', times: 2 }, false],
    ['not while its time lasts', { fault: 'hang', duration_ms: 60_000 }, false],
    ['when its time is over', { fault: 'hang', times: 0, duration_ms: 0 }, true],
    ['never when it always hits', { fault: 'hang', times: 0 }, false],
  ])('%s', (_, spec, spent) => {
    const box = new FaultBox(1);
    box.add(spec);
    box.takeHttp('POST', '/v1/refunds');
    expect(box.list()).toMatchObject([{ spent }]);
  });
});

describe('Several faults', () => {
  it('take turns: the first that still hits wins', () => {
    const box = new FaultBox(1);
    box.add({ fault: 'hang' });
    box.add({ fault: 'slow', times: 2 });
    box.add({ fault: 'webhook_drop' });
    expect([1, 2, 3, 4].map(() => box.takeHttp('GET', '/v1/x')?.fault)).toEqual(['hang', 'slow', 'slow', undefined]);
    expect(box.takeWebhook('webhook_drop', 'charge.updated')).toBeDefined();
    expect(box.list().map(({ fault, hits: count, matched }) => [fault, count, matched])).toEqual([
      ['hang', 1, 1],
      ['slow', 2, 2],
      ['webhook_drop', 1, 1],
    ]);
  });

  it('let go of what hangs when they are cleared', () => {
    const box = new FaultBox(1);
    const released: string[] = [];
    box.onClear(() => released.push('one'));
    box.onClear(() => released.push('gone'))();
    box.clear();
    box.clear();
    expect(released).toEqual(['one']);
  });

  it('meet only the event types that they name', () => {
    const box = new FaultBox(1);
    box.add({ fault: 'webhook_drop', event_type: 'charge.*' });
    expect(box.takeWebhook('webhook_drop', 'refund.created')).toBeUndefined();
    expect(box.takeWebhook('webhook_drop', 'charge.succeeded')).toBeDefined();
  });
});
