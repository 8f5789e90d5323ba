import { describe, expect, it } from '@jest/globals';
import { periodOf } from './period.decide.js';

const at = (text: string) => Date.parse(text) / 1000;

describe('A period', () => {
  it('is whole days in UTC, the last one included', () => {
    expect(periodOf('2026-11-01', '2026-11-30')).toEqual({ gte: at('2026-11-01T00:00:00Z'), lt: at('2026-12-01T00:00:00Z') });
    expect(periodOf('2026-11-21', '2026-11-21')).toEqual({ gte: at('2026-11-21T00:00:00Z'), lt: at('2026-11-22T00:00:00Z') });
  });

  it('before Stripe began is asked for from 1970 on', () => {
    expect(periodOf('1900-01-01', '1970-01-01')).toEqual({ gte: 0, lt: 86_400 });
  });
});
