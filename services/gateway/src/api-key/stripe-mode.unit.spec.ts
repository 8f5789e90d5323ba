import { describe, expect, it } from '@jest/globals';
import { secretListSubject } from '@tidegate/contracts/ops/secrets';
import { RpcUnavailable } from '@tidegate/messaging/rpc';
import { askForMode, StripeMode } from './stripe-mode.js';

describe('The mode of the key of Stripe', () => {
  let now = 0;
  const askedBy = (answers: (boolean | Error)[]) => {
    const mode = new StripeMode(
      () => {
        const next = answers.shift() ?? new Error('asked too often');
        return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
      },
      () => now,
    );
    return { mode, left: () => answers.length };
  };

  it('is asked for once by all who want it, and again beside what comes after 5 s', async () => {
    const { mode, left } = askedBy([false, true]);
    expect(await Promise.all([mode.livemode(), mode.livemode()])).toEqual([false, false]);
    now += 4999;
    expect([await mode.livemode(), left()]).toEqual([false, 1]);
    now += 1;
    expect([await mode.livemode(), left()]).toEqual([false, 0]);
    expect([await mode.livemode(), left()]).toEqual([true, 0]);
  });

  it('is waited for when it was not asked for a minute', async () => {
    const { mode } = askedBy([false, true]);
    await mode.livemode();
    now += 60_000;
    expect(await mode.livemode()).toBe(true);
  });

  it('is what was said last while nobody answers', async () => {
    const { mode, left } = askedBy([true, new Error('away'), new Error('away'), false]);
    await mode.livemode();
    for (const expected of [true, true, false]) {
      now += 60_000;
      expect(await mode.livemode()).toBe(expected);
    }
    expect(left()).toBe(0);
  });

  it('is not known before anybody has said it', async () => {
    const { mode } = askedBy([new Error('away'), true]);
    await expect(mode.livemode()).rejects.toThrow('away');
    expect(await mode.livemode()).toBe(true);
  });
});

describe('Whoever has a key of Stripe', () => {
  const secret = (kind: string | null) => ({ name: 'STRIPE_SECRET_KEY', fingerprint: 'sha256:00000000', kind, source: 'environment' });
  const others = { ...secret('postgres'), name: 'DATABASE_URL' };
  const answering = (kinds: Record<string, string | null>) => ({
    request<T>(subject: string): Promise<T> {
      const service = Object.keys(kinds).find((one) => secretListSubject(one) === subject);
      if (service === undefined) return Promise.reject(new RpcUnavailable(subject, 'nobody answers this subject'));
      return Promise.resolve({ service, instance: '1', secrets: [others, secret(kinds[service] ?? null)] } as T);
    },
  });

  it.each([
    ['sk_live', true],
    ['rk_live', true],
    ['sk_test', false],
    [null, false],
  ])('says by a key of kind %s whether it is live: %s', async (kind, livemode) => {
    expect(await askForMode(answering({ payments: kind }))).toBe(livemode);
  });

  it('is asked where payments is away', async () => {
    expect(await askForMode(answering({ reconciliation: 'rk_live' }))).toBe(true);
    await expect(askForMode(answering({}))).rejects.toThrow(RpcUnavailable);
  });
});
