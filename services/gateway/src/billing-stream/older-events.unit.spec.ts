import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RpcClient } from '@tidegate/messaging/rpc';
import { OlderEvents } from './older-events.js';
import { OutboxPages } from './outbox-pages.js';

/** Payments with one event of each of the tenants `loud` and `quiet`. */
class Payments extends RpcClient {
  asked = 0;
  constructor() {
    super(undefined as never);
  }
  override request<T>(): Promise<T> {
    this.asked += 1;
    const rows = ['loud', 'quiet'].map((tenant, index) => ({
      position: index + 1,
      message_id: '0197f3a0-0000-7000-8000-000000000000',
      subject: 'payments.events.payment.created.v1',
      aggregate: 'pay_1',
      body: JSON.stringify({ tenant, type: 'payment.created' }),
    }));
    return Promise.resolve({ epoch: 1, epoch_start: 1, floor: 1, head: 2, unstamped_ms: 0, rows } as T);
  }
}

const start = { epoch: 1, position: 0 };
const settled = async () => {
  for (let n = 0; n < 10; n += 1) await turn();
};

describe('Older events', () => {
  it('come to a tenant in time, however many clients of another take nothing', async () => {
    const older = new OlderEvents(new OutboxPages(new Payments()));
    const used: string[] = [];
    const read = (tenant: string) => void older.read(start, { tenant, gone: () => false, use: () => new Promise(() => used.push(tenant)) });
    for (let n = 0; n < 100; n += 1) read('loud');
    read('quiet');
    await settled();
    expect(used.filter((tenant) => tenant === 'quiet')).toHaveLength(1);
    expect(used.filter((tenant) => tenant === 'loud')).toHaveLength(16);
  });

  it('are not read for a client that is gone', async () => {
    const payments = new Payments();
    let used = 0;
    await new OlderEvents(new OutboxPages(payments)).read(start, {
      tenant: 'loud',
      gone: () => true,
      use: () => Promise.resolve(void (used += 1)),
    });
    expect([payments.asked, used]).toEqual([0, 0]);
  });
});
