import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeadLetterList } from '@tidegate/contracts/ops/dead-letters';
import type { RetryView } from '@tidegate/contracts/ops/retries';
import type { SubscriptionCommandView } from '@tidegate/contracts/ops/subscription-commands';
import type { BreakerView } from '@tidegate/contracts/responses';
import { runbookPages, tidegateCommands } from '@tidegate/observability/runbooks/page';
import { eventually } from '@tidegate/test-harness/eventually';
import { tidegate } from './console.js';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld();
}, 120_000);
afterAll(() => world?.stop());

const stateOf = async (name: string) => {
  const { exitCode, value } = await world.json<{ data: BreakerView[] }>('breaker status');
  return { exitCode, state: value.data.find((one) => one.name === name)?.state };
};

describe('The breakers', () => {
  it('are shown closed, with what would open them', async () => {
    const { exitCode, out } = await world.tidegate('breaker status');
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^stripe +closed .* 5 and 50 % +60 s +30 s$/m)]);
  });

  it('are isolated, closed and reset by an operator, who is written down', async () => {
    const asked = await world.tidegate('breaker isolate stripe --reason "a drill"');
    expect([asked.exitCode, asked.out]).toEqual([1, expect.stringContaining('stop every call of it')]);
    expect(await stateOf('stripe')).toEqual({ exitCode: 0, state: 'closed' });

    expect((await world.tidegate('breaker isolate stripe --reason "a drill" --yes')).exitCode).toBe(0);
    expect(await stateOf('stripe')).toEqual({ exitCode: 2, state: 'isolated' });
    expect((await world.tidegate('breaker close stripe --reason "drill over" --yes')).exitCode).toBe(0);
    expect(await stateOf('stripe')).toEqual({ exitCode: 0, state: 'closed' });
    const reset = await world.tidegate('breaker reset stripe --reason "to be sure" --yes');
    expect([reset.exitCode, reset.out]).toEqual([0, expect.stringContaining('! if Stripe is still failing it opens again')]);
    const actions = await world.query(`select action, reason from payments.operator_actions where target = 'stripe' order by id`);
    expect(actions).toEqual([
      { action: 'breaker.isolate', reason: 'a drill' },
      { action: 'breaker.close', reason: 'drill over' },
      { action: 'breaker.reset', reason: 'to be sure' },
    ]);
  });

  it('have three names', async () => {
    const { exitCode, err } = await world.tidegate('breaker reset all --reason x --yes');
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Allowed choices are stripe, stripe_reads, stripe_usage')]);
  });
});

describe('What waits', () => {
  it('is listed with its reason, and given up when it was never sent', async () => {
    expect((await world.tidegate('retries list')).out).toBe('Nothing waits.\n');
    await world.json('breaker isolate stripe --reason "a drill" --yes');
    const { id } = await world.post<{ id: string }>(
      '/v1/payments',
      { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' },
      { prefer: 'respond-async' },
    );
    await eventually(async () => {
      const { value } = await world.json<{ data: RetryView[] }>('retries list');
      expect(value.data).toMatchObject([{ payment_id: id, status: 'queued', unsent: true }]);
    });
    expect((await world.tidegate('retries list --older-than 0s')).exitCode).toBe(2);
    expect((await world.tidegate('retries list')).out).toMatch(new RegExp(`^${id} +default +queued +`, 'm'));

    const none = await world.tidegate('retries dead-letter --older-than 1h --reason "sold out" --yes');
    expect([none.exitCode, none.out]).toEqual([0, 'Nothing unsent has waited for 1 h.\n']);
    const asked = await world.tidegate('retries dead-letter --older-than 0s --reason "sold out"');
    expect([asked.exitCode, asked.out]).toEqual([1, expect.stringContaining(`cancel 1 payments that were never sent: ${id}`)]);
    const done = await world.tidegate('retries dead-letter --older-than 0s --reason "sold out" --yes');
    expect([done.exitCode, done.out]).toEqual([0, expect.stringContaining('1 payments are canceled.')]);
    expect((await world.tidegate(`payments show ${id}`)).out).toMatch(/^status +canceled, for /m);
    await world.json('breaker close stripe --reason "drill over" --yes');
  });
});

describe('A request about a subscription that waits', () => {
  it('is listed, carried on, and given up when no call for it can be out', async () => {
    expect((await world.tidegate('subscriptions pending')).out).toBe('Nothing waits.\n');
    world.simulator.addFault({ fault: 'lock_timeout', route: 'POST /v1/subscriptions', times: 0 });
    const { id: customer } = await world.post<{ id: string }>('/v1/customers', {});
    const ask = () =>
      fetch(`${world.url}/v1/subscriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json', 'idempotency-key': 'subscription' },
        body: JSON.stringify({ customer, items: [{ price: 'price_plan' }] }),
      });
    expect((await ask()).status).toBe(503);
    const { value } = await world.json<{ data: SubscriptionCommandView[] }>('subscriptions pending --kind create');
    expect(value.data).toMatchObject([{ customer, kind: 'create', step: 'call', answer_missing: false }]);
    const id = value.data[0]!.id;
    expect((await world.tidegate('subscriptions pending --older-than 0s')).exitCode).toBe(2);
    expect((await world.tidegate('subscriptions pending')).out).toMatch(new RegExp(`^${id} +default +create +${customer} `, 'm'));
    const carried = await world.tidegate(`subscriptions resolve ${id} --reason "customer asks" --yes`);
    expect([carried.exitCode, carried.out]).toEqual([0, expect.stringContaining(`${id} is carried on.`)]);
    // Not while some process is at it.
    await eventually(async () => {
      const done = await world.tidegate(`subscriptions give-up ${id} --reason "customer has left" --yes`);
      expect([done.exitCode, done.out]).toEqual([0, expect.stringContaining(`${id} is given up.`)]);
    });
    const answer = await ask();
    expect([answer.status, await answer.json()]).toMatchObject([422, { code: 'subscriptions.given_up' }]);
    expect((await world.tidegate('subscriptions pending --older-than 0s')).exitCode).toBe(0);
    world.simulator.clearFaults();
  });
});

describe('What was set aside', () => {
  const setAside = (aggregate: string) =>
    world.query(
      `insert into payments.inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, reason, failures, first_failed_at)
       values ('payments-receipts', 1, gen_random_uuid(), 1, $1, 'receipts.events.receipt.issued.v1', '{}', 'dead', 'a bug in 1.4.1', 1, now())`,
      [aggregate],
    );

  it('is an empty list at first, with the services that do not answer', async () => {
    const { exitCode, value } = await world.json<DeadLetterList>('dead-letters list');
    expect([exitCode, value.data, value.unavailable.toSorted()]).toEqual([2, [], ['receipts', 'reconciliation']]);
  });

  it('must be named', async () => {
    const { exitCode, err } = await world.tidegate('dead-letters discard --reason x --yes');
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Which? Give ids')]);
  });

  it('is shown, and discarded or replayed with who and why', async () => {
    await setAside('one');
    const { value } = await world.json<DeadLetterList>('dead-letters list --service payments');
    const [letter] = value.data;
    expect(letter).toMatchObject({ consumer: 'payments-receipts', aggregate: 'one', reason: 'a bug in 1.4.1' });
    const { out } = await world.tidegate(`dead-letters show ${letter?.id}`);
    expect(out).toMatch(/^reason +a bug in 1\.4\.1$/m);
    const asked = await world.tidegate(`dead-letters discard ${letter?.id} --reason "not needed"`);
    expect([asked.exitCode, asked.out]).toEqual([1, expect.stringContaining('! what they would have done is never done')]);
    const done = await world.tidegate(`dead-letters discard ${letter?.id} --reason "not needed" --yes`);
    expect([done.exitCode, done.out]).toEqual([0, expect.stringContaining('1 of 1 were discarded.')]);
    const again = await world.tidegate(`dead-letters replay ${letter?.id} --reason "not needed" --yes`);
    expect([again.exitCode, again.err]).toEqual([1, expect.stringContaining('There is no such thing')]);
  });

  it('is discarded when it was shown, and not when it came while a person read that', async () => {
    await setAside('shown');
    const { exitCode, out } = await tidegate('dead-letters discard --consumer payments-receipts --reason "not needed"', {
      env: { TIDEGATE_URL: world.url, TIDEGATE_API_KEY: world.key },
      presses: 'y',
      beforeAnswer: () => setAside('came later'),
    });
    expect([exitCode, out]).toEqual([0, expect.stringContaining('1 of 1 were discarded.')]);
    const { value } = await world.json<DeadLetterList>('dead-letters list --service payments');
    expect(value.data.map(({ aggregate }) => aggregate)).toEqual(['came later']);
    await world.tidegate('dead-letters discard --consumer payments-receipts --reason "not needed" --yes');
  });

  it('is discarded all together, also when it is more than a request may name', async () => {
    for (const service of ['payments', 'webhooks'])
      await world.query(
        `insert into ${service}.inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, reason, failures, first_failed_at)
         select (select min(consumer) from ${service}.inbox_generations), 1, gen_random_uuid(), 1, 'many_' || n, 'receipts.events.receipt.issued.v1', '{}', 'dead', 'many', 1, now()
         from generate_series(1, 60) as n`,
      );
    const { out } = await world.tidegate('dead-letters discard --matching many --reason "not needed" --yes');
    expect(out).toContain('120 of 120 were discarded.');
  });

  it('is handled again by the commands that the page of the alert tells to run', async () => {
    await setAside('two');
    const page = runbookPages().find(({ name }) => name === 'dead-letters')!;
    const commands = page.runnables.filter(({ section }) => section === 'Mitigation').flatMap(({ text }) => tidegateCommands(text));
    const said: string[] = [];
    for (const words of commands) said.push((await world.tidegate(words)).out);
    expect(said.join('')).toContain('1 of 1 were replayed.');
  });
});
