import { CATALOGUE } from '@tidegate/contracts/catalogue';
import { describe, expect, it } from '@jest/globals';
import { type Handler, type Incoming, TransientFailure } from './incoming.js';
import { isKnownSubject, parkingUnknown } from './park-unknown.js';

const message = (subject: string) => ({ subject }) as Incoming;
const KNOWN = CATALOGUE[0]!.subject;
const NEW = 'payments.events.payment.teleported.v1';

class Counting implements Handler {
  readonly handled: string[] = [];
  readonly told: string[] = [];
  readonly projector = true;
  async handle(_tx: unknown, { subject }: Incoming, _prepared?: unknown): Promise<void> {
    this.handled.push(subject);
  }
  afterCommit({ subject }: Incoming): void {
    this.told.push(subject);
  }
}

describe('A message of a type that this version does not know', () => {
  it.each([NEW, KNOWN.replace(/v1$/, 'v2'), 'stripe.events.charge.updated.v2'])('waits: %s', async (subject) => {
    const handler = new Counting();
    const handling = async () => parkingUnknown(handler).handle({} as never, message(subject), undefined);
    await expect(handling()).rejects.toBeInstanceOf(TransientFailure);
    expect(handler.handled).toEqual([]);
  });

  it('waits before anything is asked for it', () => {
    const asked: string[] = [];
    const handler: Handler = { prepare: async ({ subject }) => asked.push(subject), handle: async () => undefined };
    expect(() => parkingUnknown(handler).prepare?.(message(NEW))).toThrow(TransientFailure);
    expect(asked).toEqual([]);
  });

  it('waits where many are handled together, too: none of them is, and each is then tried by itself', async () => {
    const together: string[][] = [];
    const handler: Handler = {
      projector: true,
      handle: async () => undefined,
      handleAll: async (_tx, messages) => void together.push(messages.map(({ subject }) => subject)),
    };
    const all = async (...subjects: string[]) => parkingUnknown(handler).handleAll?.({} as never, subjects.map(message));
    await expect(all(KNOWN, NEW)).rejects.toBeInstanceOf(TransientFailure);
    expect(together).toEqual([]);
    await all(KNOWN, KNOWN);
    expect(together).toEqual([[KNOWN, KNOWN]]);
  });
});

describe('Every other message', () => {
  it('is handled as before, and what else the handler has stays', async () => {
    const handler = new Counting();
    const parked = parkingUnknown(handler);
    await parked.handle({} as never, message(KNOWN));
    await parked.handle({} as never, message('stripe.events.some.type.of.tomorrow.v1'));
    parked.afterCommit(message(KNOWN));
    expect([handler.handled.length, handler.told, parked.projector, 'prepare' in parked]).toEqual([2, [KNOWN], true, false]);
  });

  it('is every message that is published', () => {
    expect(CATALOGUE.filter(({ subject }) => !isKnownSubject(subject))).toEqual([]);
  });
});
