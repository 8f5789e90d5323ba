import { describe, expect, it } from '@jest/globals';
import { Hold } from './hold.js';

const pays = { method: 'POST', scope: 'payments:write' } as const;

/** A hold that is read as `rows` says, one reading after the other, under a clock that stands still until it is moved. */
function held(...rows: (boolean | Error)[]) {
  const clock = { now: 0, reads: 0 };
  const hold = new Hold(
    async () => {
      const row = rows[Math.min(clock.reads++, rows.length - 1)];
      if (row instanceof Error) throw row;
      return row === true;
    },
    () => clock.now,
  );
  const outcome = (endpoint: Parameters<Hold['pass']>[0] = pays) =>
    hold.pass(endpoint).then(
      () => 'passes',
      (error: { code: string }) => error.code,
    );
  return { hold, clock, outcome };
}

describe('While requests are held', () => {
  it.each(['payments:write', 'refunds:write', 'checkout:write', 'customers:write', 'usage:write'] as const)(
    'refuses a POST with %s',
    async (scope) => {
      expect(await held(true).outcome({ method: 'POST', scope })).toBe('service.on_hold');
    },
  );

  it.each(['ops', 'reconciliation:run', 'webhooks:write', 'billing:stream'] as const)(
    'lets a POST with %s pass, which is how the record is put right',
    async (scope) => {
      expect(await held(true).outcome({ method: 'POST', scope })).toBe('passes');
    },
  );

  it('lets everybody read', async () => {
    expect(await held(true).outcome({ method: 'GET', scope: 'payments:read' })).toBe('passes');
  });
});

describe('What is known of the hold', () => {
  it('is a second old at most, and read once for many', async () => {
    const { clock, outcome } = held(false, true);
    expect(await Promise.all([outcome(), outcome(), outcome()])).toEqual(['passes', 'passes', 'passes']);
    expect(clock.reads).toBe(1);
    clock.now = 1_001;
    expect(await outcome()).toBe('service.on_hold');
  });

  it('is not what was being read when it changed', async () => {
    const answers: ((held: boolean) => void)[] = [];
    const hold = new Hold(() => new Promise((answer) => answers.push(answer)));
    const before = hold.pass(pays);
    hold.forget();
    answers[0]!(false);
    await before;
    const after = hold.pass(pays);
    expect(answers).toHaveLength(2);
    answers[1]!(true);
    await expect(after).rejects.toMatchObject({ code: 'service.on_hold' });
  });

  it('is not waited for when the database gives no answer at all, and asked for anew', async () => {
    const clock = { now: 0, reads: 0 };
    const read = () => (clock.reads++ === 0 ? new Promise<boolean>(() => undefined) : Promise.resolve(false));
    const hold = new Hold(read, () => clock.now, 20);
    await expect(hold.pass(pays)).rejects.toMatchObject({ code: 'service.unavailable' });
    await expect(hold.pass(pays)).rejects.toMatchObject({ code: 'service.unavailable' });
    expect(clock.reads).toBe(1);
    clock.now = 5_000;
    await hold.pass(pays);
  });

  it('follows a database that is slow', async () => {
    const clock = { now: 0 };
    const answers: ((held: boolean) => void)[] = [];
    const hold = new Hold(
      () => new Promise((answer) => answers.push(answer)),
      () => clock.now,
      20,
    );
    const first = hold.pass(pays);
    answers[0]!(false);
    await first;
    clock.now = 2_000;
    await hold.pass(pays);
    answers[1]!(true);
    await new Promise(setImmediate);
    await expect(hold.pass(pays)).rejects.toMatchObject({ code: 'service.on_hold' });
  });

  it('is what it was while the database is away, and refused when nothing was ever known', async () => {
    const { clock, outcome } = held(true, new Error('away'));
    expect(await outcome()).toBe('service.on_hold');
    clock.now = 5_000;
    expect(await outcome()).toBe('service.on_hold');
    expect(await held(new Error('away')).outcome()).toBe('service.unavailable');
  });
});
