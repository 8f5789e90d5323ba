import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { eventually } from '@tidegate/test-harness/eventually';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { IntentFinder, type Sought } from '../src/payment/intent-finder.js';
import { soughtAs } from '../src/payment/sought.js';

jest.setTimeout(60_000);

describe('Looking for intents by our ids', () => {
  let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
  let stripe: ReturnType<typeof createStripeAdapter>;
  let finder: IntentFinder;
  let soon: Sought[];
  let offsetMs: number;
  const clock = { now: () => new Date(Date.now() + offsetMs) };

  beforeEach(async () => {
    [soon, offsetMs] = [[], 0];
    simulator = await simulatorForTests();
    stripe = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url, deadlineMs: 5000 });
    finder = new IntentFinder({ stripe, clock, soughtSoon: async () => soon });
  });
  afterEach(async () => {
    simulator.clearFaults();
    stripe.close();
    await simulator.close();
  });

  const intentOf = (paymentId: string) =>
    stripe.createIntent(
      { amount: 100, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata: { payment_id: paymentId } },
      paymentId,
    );
  const calledAgo = (paymentId: string, ms: number): Sought =>
    soughtAs(paymentId, new Date(clock.now().getTime() - ms), new Date(clock.now().getTime() - ms));
  const pages = () =>
    simulator.world.requests.all().filter(({ method, path }) => method === 'GET' && path.startsWith('/v1/payment_intents')).length;
  const countOf = async (sought: Sought) => {
    const search = await finder.find(sought);
    return search.kind === 'ok' ? search.value.length : search.kind;
  };

  it('reads each page once for all who ask now and all who will ask soon', async () => {
    const ids = Array.from({ length: 150 }, (_, i) => `pay_${i}`);
    for (let at = 0; at < ids.length; at += 25) await Promise.all(ids.slice(at, at + 25).map(intentOf));
    soon = [...ids, 'pay_never'].map((id) => calledAgo(id, 5000));
    const first = await Promise.all(soon.slice(0, 10).map(countOf));
    const later = [];
    for (const one of soon.slice(10)) later.push(await countOf(one));
    expect([...first, ...later]).toEqual([...ids.map(() => 1), 0]);
    expect(pages()).toBe(2);
  });

  it('takes no absence from a scan that began before the last call had ended', async () => {
    const before = calledAgo('pay_late', 5000);
    soon = [before];
    expect(await countOf(before)).toBe(0);
    await intentOf('pay_late');
    expect(await countOf(before)).toBe(0);
    expect(await countOf(calledAgo('pay_late', 0))).toBe(1);
  });

  it('takes no absence from a scan that was under way when the call was', async () => {
    simulator.addFault({ fault: 'slow', route: 'GET /v1/payment_intents', ms: 400, times: 1 });
    soon = [calledAgo('pay_meanwhile', 5000)];
    const scan = countOf(calledAgo('pay_other', 5000));
    await eventually(() => expect(pages()).toBe(1));
    simulator.clearFaults();
    await intentOf('pay_meanwhile');
    const own = countOf(calledAgo('pay_meanwhile', 0));
    expect([await scan, await own, pages()]).toEqual([0, 1, 2]);
  });

  it('looks again at an absence after a while, because lists lag', async () => {
    simulator.addFault({ fault: 'list_lag', route: 'GET /v1/payment_intents', ms: 600_000, times: 0 });
    await intentOf('pay_lagging');
    const sought = calledAgo('pay_lagging', 5000);
    soon = [sought];
    expect(await countOf(sought)).toBe(0);
    simulator.clearFaults();
    offsetMs += 31_000;
    expect(await countOf(sought)).toBe(1);
  });

  it('tells nobody of an absence when a page could not be read', async () => {
    for (let i = 0; i < 110; i += 1) await intentOf(`pay_${i}`);
    simulator.addFault({ fault: 'reset_before', route: 'GET /v1/payment_intents', nth: 2, times: 1 });
    const answers = await Promise.all(['pay_0', 'pay_never'].map((id) => countOf(calledAgo(id, 5000))));
    expect(answers).toEqual(['unknown', 'unknown']);
    expect(await countOf(calledAgo('pay_0', 5000))).toBe(1);
  });

  it('reads windows that lie apart, and not what lies between', async () => {
    await intentOf('pay_old');
    offsetMs += 86_400_000;
    simulator.advanceClock(43_200);
    for (let i = 0; i < 120; i += 1) await intentOf(`pay_between_${i}`);
    simulator.advanceClock(43_200);
    await intentOf('pay_new');
    const answers = await Promise.all([countOf(calledAgo('pay_old', 86_400_000)), countOf(calledAgo('pay_new', 0))]);
    expect(answers).toEqual([1, 1]);
    expect(pages()).toBe(2);
  });
});
