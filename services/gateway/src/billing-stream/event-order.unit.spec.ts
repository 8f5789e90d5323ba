import { describe, expect, it } from '@jest/globals';
import type { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import fc from 'fast-check';
import { EventLog } from './event-log.js';
import { EventOrder } from './event-order.js';

const bodyOf = (position: number): string => JSON.stringify({ tenant: 'default', type: 'payment.created', data: { position } });
const arrived = (position: number, epoch = 1) => ({ epoch, position, bytes: Buffer.from(bodyOf(position)) });
function page(after: number, head: number, limit = 500): OutboxReadReply {
  const positions = Array.from({ length: Math.max(0, Math.min(limit, head - after)) }, (_, index) => after + 1 + index);
  const rows = positions.map((position) => ({ position, message_id: '', aggregate: '', subject: '', body: bodyOf(position) }));
  return { epoch: 1, epoch_start: 1, floor: 1, head, unstamped_ms: null, rows };
}

function begun(position = 0) {
  const log = new EventLog(1_000_000);
  const unreadable: number[] = [];
  const order = new EventOrder(log, (one) => unreadable.push(one));
  order.read(page(position, position), position);
  const told = () => Array.from({ length: (log.standing?.position ?? 0) - position }, (_, index) => log.at(position + 1 + index)?.position);
  return { log, order, unreadable, told };
}

describe('Whatever the broker brings of a hundred events, in whatever order and how often', () => {
  it('the log has each position once and in order, and all of them after one look into the outbox', () => {
    const arrivals = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 300 });
    fc.assert(
      fc.property(arrivals, fc.nat(100), (positions, until) => {
        const { log, order, told } = begun();
        for (const position of positions.slice(0, until)) order.take(arrived(position));
        const after = log.standing?.position ?? 0;
        expect(told()).toEqual(Array.from({ length: after }, (_, index) => index + 1));
        const asked = page(after, 60);
        for (const position of positions.slice(until)) order.take(arrived(position));
        if (asked.head >= after) order.read(asked, after);
        const now = log.standing?.position ?? 0;
        order.read(page(now, 100), now);
        expect(told()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
        expect(order.waits).toBe(false);
      }),
    );
  });
});

describe('What is held above a hole', () => {
  it('follows at once when the hole is filled', () => {
    const { order, told } = begun();
    expect([3, 2].map((position) => order.take(arrived(position)))).toEqual(['hold', 'hold']);
    expect(order.waits).toBe(true);
    expect(order.take(arrived(1))).toBe('append');
    expect([told(), order.waits]).toEqual([[1, 2, 3], false]);
  });

  it('is so much at most; the rest is read from the outbox when its turn comes', () => {
    const { order, told } = begun();
    for (let position = 2; position <= 1000; position += 1) order.take(arrived(position));
    order.take(arrived(1));
    expect(told()).toHaveLength(257);
    order.read(page(257, 1000, 1000), 257);
    expect(told()).toHaveLength(1000);
  });

  it('is forgotten with the history that a restore has lost', () => {
    const { log, order } = begun(10);
    order.take(arrived(12));
    expect(order.read({ ...page(10, 11), epoch: 2, epoch_start: 9 }, 10)).toBe('new_epoch');
    expect([log.standing, order.waits]).toEqual([{ epoch: 2, epochStart: 9, floor: 1, position: 11 }, false]);
    expect(order.take(arrived(12))).toBe('drop');
    expect(order.take(arrived(12, 2))).toBe('append');
  });
});

describe('A message that is no contract of ours', () => {
  it('takes its position, is shown to nobody and is told of', () => {
    const { log, order, unreadable } = begun();
    order.take({ epoch: 1, position: 1, bytes: Buffer.from('rubbish') });
    order.take(arrived(2));
    expect([unreadable, log.at(1), log.at(2)?.position]).toEqual([[1], null, 2]);
  });
});
