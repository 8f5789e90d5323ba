import { describe, expect, it } from '@jest/globals';
import { Gate } from './gate.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('When somebody wants the gate alone', () => {
  it('waits until those inside have left, keeps newcomers out meanwhile, and lets them in afterwards', async () => {
    const gate = new Gate();
    const seen: string[] = [];
    await gate.enter();
    gate.join();
    const alone = gate.exclusive(async () => {
      seen.push('alone');
      await turn();
      seen.push('done');
    });
    const newcomer = gate.enter().then(() => seen.push('newcomer'));
    await turn();
    expect([gate.wanted, seen]).toEqual([true, []]);
    gate.leave();
    await turn();
    expect(seen).toEqual([]);
    gate.leave();
    await Promise.all([alone, newcomer]);
    expect([gate.wanted, seen]).toEqual([false, ['alone', 'done', 'newcomer']]);
  });

  it('opens again when the work fails', async () => {
    const gate = new Gate();
    await expect(gate.exclusive(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await gate.enter();
  });
});
