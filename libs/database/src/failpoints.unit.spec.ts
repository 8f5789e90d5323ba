import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { atCall, callFailpoints, commitFailpoints, FailpointError, failpointsFrom } from './failpoints.js';

const logger = createLogger({ service: 'test', level: 'silent' });
const known = [...commitFailpoints('shop.order'), ...callFailpoints('shop.pay')];

describe('When failpoints are armed', () => {
  it('fires at the named hit only', async () => {
    const failpoints = failpointsFrom('shop.order.before_commit:error:2', known, logger);
    await failpoints.hit('shop.order.before_commit');
    await expect(failpoints.hit('shop.order.before_commit')).rejects.toThrow(FailpointError);
    await failpoints.hit('shop.order.before_commit');
  });

  it('fires at every hit without a number, and around calls', async () => {
    const failpoints = failpointsFrom('shop.pay.after_call:error,shop.pay.before_call:delay(1)', known, logger);
    let calls = 0;
    const call = async () => (calls += 1);
    await expect(atCall(failpoints, 'shop.pay', call)).rejects.toThrow('shop.pay.after_call');
    await expect(atCall(failpoints, 'shop.pay', call)).rejects.toThrow('shop.pay.after_call');
    expect(calls).toBe(2);
  });

  it.each([
    ['shop.nowhere:kill', 'no failpoint "shop.nowhere"'],
    ['shop.order.before_commit:explode', 'must be kill, error or delay(ms)'],
    ['shop.order.before_commit:kill:0', 'must be a whole number from 1'],
  ])('refuses %s at the start', (spec, reason) => {
    expect(() => failpointsFrom(spec, known, logger)).toThrow(reason);
  });

  it('does nothing when none is armed', async () => {
    await failpointsFrom(undefined, known, logger).hit('whatever');
    await failpointsFrom('', known, logger).hit('whatever');
  });
});
