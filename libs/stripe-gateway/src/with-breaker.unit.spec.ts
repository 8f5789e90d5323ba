import { describe, expect, it } from '@jest/globals';
import { type StripeOutcome, type StripePort } from './port.js';
import { type BreakerChange, Breakers, withBreaker } from './with-breaker.js';

const timeout: StripeOutcome<never> = { kind: 'unknown', cause: 'timeout', stored: false, message: 'no answer' };
const declined: StripeOutcome<never> = { kind: 'declined', code: 'card_declined', declineCode: null, message: 'no' };

/** A port whose every method answers the same. */
function answering(next: () => StripeOutcome<never>): { port: StripePort; calls: () => number } {
  let calls = 0;
  const method = () => {
    calls += 1;
    return Promise.resolve(next());
  };
  return { port: new Proxy({}, { get: () => method }) as StripePort, calls: () => calls };
}

function world() {
  let now = 0;
  let outcome: StripeOutcome<never> = timeout;
  const changes: BreakerChange[] = [];
  const { port, calls } = answering(() => outcome);
  const breakers = new Breakers({ now: () => now, onChange: (change) => changes.push(change) });
  return {
    stripe: withBreaker(port, breakers),
    breakers,
    calls,
    changes,
    pass: (ms: number) => (now += ms),
    answer: (next: StripeOutcome<never>) => (outcome = next),
  };
}

const fail = async (stripe: StripePort, times: number) => {
  for (let i = 0; i < times; i += 1) await stripe.cancelIntent('pi_1', {}, 'k');
};

describe('Behind a breaker', () => {
  it('five failed writes stop writes and leave reads alone', async () => {
    const { stripe, calls, breakers } = world();
    await fail(stripe, 5);
    expect(await stripe.cancelIntent('pi_1', {}, 'k')).toEqual({ kind: 'refused', retryAfterMs: 30_000 });
    expect(calls()).toBe(5);
    expect(breakers.closedFor('stripe')).toEqual({ retryAfterMs: 30_000 });
    expect(breakers.closedFor('stripe_reads')).toBeNull();
    expect(await stripe.retrieveIntent('pi_1')).toEqual(timeout);
  });

  it('declines do not count', async () => {
    const { stripe, answer, calls } = world();
    answer(declined);
    await fail(stripe, 20);
    expect(calls()).toBe(20);
  });

  it('one probe after the recovery time closes it, and says so', async () => {
    const { stripe, pass, answer, changes } = world();
    await fail(stripe, 5);
    pass(30_000);
    answer(declined);
    const [probe, beside] = await Promise.all([stripe.cancelIntent('pi_1', {}, 'k'), stripe.cancelIntent('pi_2', {}, 'k')]);
    expect([probe.kind, beside.kind]).toEqual(['declined', 'refused']);
    expect(changes.map((change) => `${change.breaker} ${change.to}`)).toEqual(['stripe open', 'stripe half_open', 'stripe closed']);
  });
});
