import { describe, expect, it } from '@jest/globals';
import { quickened } from './quicken.js';
import { ruleFiles, type RuleFile } from './rules.js';

const file = (expr: string, more: object = {}): RuleFile[] => [
  { file: 'x.rules.yaml', groups: [{ name: 'x', rules: [{ alert: 'X', expr, labels: {}, annotations: {}, ...more }] }] },
];

describe('The rules of a drill', () => {
  it('look at windows sixty times shorter, and wait two seconds at most', () => {
    const text = quickened(file('max_over_time(a[2m:15s]) > 0 and rate(b[30m]) > 1', { for: '5m' }));
    expect(text).toContain('max_over_time(a[4s:1s]) > 0 and rate(b[30s]) > 1');
    expect(text).toContain('for: 2s');
  });

  it('have the thresholds of the rules, but for those that are named', () => {
    expect(quickened(file('age > 1800'))).toContain('age > 1800');
    expect(quickened(file('age > 1800'), { X: ['> 1800', '> 5'] })).toContain('age > 5');
  });

  it('are refused when a change meets nothing', () => {
    expect(() => quickened(file('age > 1800'), { X: ['> 300', '> 5'] })).toThrow('nothing to change in X');
  });

  it('can be made of all rules', () => {
    expect(quickened(ruleFiles())).toContain('StripeCircuitOpen');
  });
});
