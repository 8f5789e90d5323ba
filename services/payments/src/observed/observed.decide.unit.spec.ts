import { describe, expect, it } from '@jest/globals';
import { decideObserved, type Observed, type ObservedRules, type Seen } from './observed.decide.js';

interface Thing {
  status: string;
}

const rules: ObservedRules<Thing, string> = {
  statusOf: ({ status }) => status,
  isFinal: (status) => status === 'over',
  factsOf: (before, { status }) => (before === null ? ['created', status] : [status]),
};
const AT = Date.parse('2026-11-22T06:00:00.000Z');
const seen = (status: string, seconds: number, change: Partial<Seen<Thing>> = {}): Seen<Thing> => ({
  object: { status },
  tenant: 'default',
  livemode: false,
  at: new Date(AT + seconds * 1000),
  asked: true,
  after: false,
  ...change,
});
/** A day later, so that nothing was seen by a clock that went ahead. */
const LATER = new Date(AT + 86_400_000);
const decided = (before: Observed<Thing> | null, look: Seen<Thing>, now = LATER) => decideObserved(rules, before, look, now);
const known = (status: string, seconds = 0): Observed<Thing> => {
  const { record } = decided(null, seen(status, seconds));
  if (!record) throw new Error('Expected a record');
  return record.observed;
};

describe('A look at an object', () => {
  it('that is the first one is recorded and told', () => {
    expect(decided(null, seen('active', 0))).toMatchObject({ record: { facts: ['created', 'active'] }, ask: false });
  });

  it('as a delivery showed it makes us ask', () => {
    expect(decided(null, seen('active', 0, { asked: false })).ask).toBe(true);
  });

  it('that is newer replaces what is known, and counts its facts on', () => {
    const { record } = decided(known('active'), seen('past_due', 9, { tenant: 'other' }));
    expect(record).toMatchObject({
      facts: ['past_due'],
      observed: { object: { status: 'past_due' }, tenant: 'default', published: 3, status_since: '2026-11-22T06:00:09.000Z' },
    });
  });

  it('that is newer and shows the same tells nothing, but nothing older counts after it', () => {
    const { record } = decided(known('active'), seen('active', 9));
    expect(record).toMatchObject({ facts: [], observed: { published: 2, changed_at: '2026-11-22T06:00:00.000Z' } });
    expect(decided(record!.observed, seen('past_due', 5)).record).toBeNull();
  });

  it.each([
    ['of the same instant', 0, 'past_due', false],
    ['a little older that shows something else, because clocks differ', -2, 'past_due', true],
    ['a little older that shows the same', -2, 'active', false],
    ['much older', -3600, 'past_due', false],
  ])('%s is not recorded', (_, seconds, status, ask) => {
    expect(decided(known('active'), seen(status, seconds))).toEqual({ record: null, ask });
  });

  it('that differs from what a clock that went ahead has dated makes us ask', () => {
    const ahead = known('active', 3600);
    expect(decided(ahead, seen('past_due', 0), new Date(AT))).toEqual({ record: null, ask: true });
    expect(decided(ahead, seen('active', 0), new Date(AT))).toEqual({ record: null, ask: false });
  });

  it('that began after what is known is newer whatever the clock says', () => {
    const { record } = decided(known('active'), seen('past_due', -2, { after: true }));
    expect(record?.observed).toMatchObject({ object: { status: 'past_due' }, seen_at: '2026-11-22T06:00:00.001Z' });
  });

  it('leads out of a final status only when it is newer for sure', () => {
    expect(decided(known('over'), seen('active', 9))).toEqual({ record: null, ask: true });
    expect(decided(known('over'), seen('active', 9, { after: true })).record?.facts).toEqual(['active']);
  });
});
