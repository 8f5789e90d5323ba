import { describe, expect, it } from '@jest/globals';
import type { StreamEvent } from './event-frame.js';
import { EventLog } from './event-log.js';

const begun = (maxBytes: number, position = 0): EventLog => {
  const log = new EventLog(maxBytes);
  log.beginAt({ epoch: 1, epochStart: 1, floor: 1, position });
  return log;
};
const event = (position: number, bytes = 100): StreamEvent => ({ position, tenant: 'default', frame: Buffer.alloc(bytes) });

describe('The log', () => {
  it('has no standing before it begins, and then stands where it was told', () => {
    const log = new EventLog(1);
    expect(log.standing).toBeNull();
    expect(() => log.append(1, event(1))).toThrow('Bug');
    log.beginAt({ epoch: 2, epochStart: 5, floor: 1, position: 9 });
    expect(log.standing).toEqual({ epoch: 2, epochStart: 5, floor: 1, position: 9 });
    expect(log.holds(9)).toBe(false);
  });

  it('takes the next position only', () => {
    const log = begun(10_000, 9);
    log.append(10, event(10));
    expect(() => log.append(12, event(12))).toThrow('Bug: 12 is not the next position');
    expect(() => log.append(10, event(10))).toThrow('Bug: 10 is not the next position');
  });

  it('keeps the last events up to its limit of bytes, however many came', () => {
    const log = begun(300 * 100);
    for (let position = 1; position <= 10_000; position += 1) log.append(position, event(position));
    expect(log.standing?.position).toBe(10_000);
    expect([log.holds(9_900), log.holds(9_901)]).toEqual([false, true]);
    for (let position = 9_901; position <= 10_000; position += 1) expect(log.at(position)?.position).toBe(position);
  });

  it('keeps nothing of an event that is larger than all that it may keep', () => {
    const log = begun(1000);
    log.append(1, event(1, 5000));
    expect([log.standing?.position, log.holds(1)]).toEqual([1, false]);
    log.append(2, event(2));
    expect([log.holds(1), log.at(2)?.position]).toEqual([false, 2]);
  });

  it('forgets everything when it begins anew', () => {
    const log = begun(10_000);
    log.append(1, event(1));
    log.beginAt({ epoch: 2, epochStart: 2, floor: 1, position: 1 });
    expect(log.holds(1)).toBe(false);
  });
});
