import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { eventually } from '@tidegate/test-harness/eventually';
import { readOutboxState } from '../src/outbox-rows.js';
import { stage } from '../src/outbox.js';
import { messageOf, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

/** Holds up each publishing until it is let through. */
class Turnstile implements Failpoints {
  readonly waiting: (() => void)[] = [];
  private isOpen = false;

  async hit(name: string): Promise<void> {
    if (name !== 'payments.relay.publish.before_call' || this.isOpen) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  next(): void {
    this.waiting.shift()?.();
  }

  open(): void {
    this.isOpen = true;
    this.next();
  }
}

describe('When rows are stamped faster than they are published', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('publishes every one of them', async () => {
    const turnstile = new Turnstile();
    const payments = await world.owner('payments', { failpoints: turnstile });
    let total = 0;
    const stamped = async (count: number) => {
      const messages = upTo(count).map((n) => messageOf('payments', `payment:pay_${n}`, total + n));
      await inTransaction({ db: payments.db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, messages));
      payments.relay.signal();
      total += count;
      await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: total }));
    };
    const heldUp = () => eventually(() => expect(turnstile.waiting).toHaveLength(1));

    await stamped(1);
    await heldUp();
    // More than the relay keeps at hand; what comes next must not be taken for what follows on it.
    for (let i = 0; i < 8; i += 1) await stamped(300);
    turnstile.next();
    await heldUp();
    await stamped(300);
    turnstile.open();

    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ published: total }));
    const { state } = await (await jetstreamManager(await payments.broker.connection())).streams.info('PAYMENTS_EVENTS');
    expect(state.messages).toBe(total);
  });
});
