import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Place } from '@tidegate/messaging/position-header';
import { type CloseReason, StreamConnection } from './connection.js';
import { eventOf, type HeartbeatForm } from './event-frame.js';
import { EventLog } from './event-log.js';
import type { Older, OlderReader } from './older-events.js';

const caller = { tenant: 'acme', actor: 'key:1', livemode: false, scopes: [] };

/** A client that takes what it gets when it is told to. */
class Client extends Writable {
  text = '';
  #take: (() => void) | null = null;
  asleep = false;
  constructor() {
    super({ highWaterMark: 1000 });
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    if (this.asleep) this.#take = done;
    else done();
  }
  wake(): void {
    this.asleep = false;
    this.#take?.();
  }
  get ids(): string[] {
    return [...this.text.matchAll(/id: (\S+)\nevent: payment/g)].map(([, id]) => id ?? '');
  }
}

function world({ maxBytes = 1_000_000, position = 0 } = {}) {
  const log = new EventLog(maxBytes);
  log.beginAt({ epoch: 1, epochStart: 1, floor: 1, position });
  const state = { now: 0, headReadAt: -1, sent: 0, closed: [] as CloseReason[], resets: [] as string[], waited: 0 };
  let older: (after: Place) => Promise<Older> = () => Promise.reject(new Error('nothing older'));
  const connect = (client: Client, lastSeen: Place | null = null, heartbeats: HeartbeatForm = 'comment') =>
    new StreamConnection(
      client,
      { caller, lastSeen, heartbeats },
      {
        log,
        older: { read: async (after: Place, { use }: OlderReader) => use(await older(after)) } as never,
        limits: { heartbeatMs: 100, stallMs: 50, maxAgeMs: 10_000 },
        now: () => state.now,
        headReadAt: () => state.headReadAt,
        sent: (count) => (state.sent += count),
        wasReset: (_one, reason) => state.resets.push(reason),
        closed: (_one, reason) => state.closed.push(reason),
        waits: () => (state.waited += 1),
      },
    );
  return {
    log,
    state,
    connect,
    publish(tenant: string, padding = 0) {
      const next = (log.standing?.position ?? 0) + 1;
      const body = JSON.stringify({ tenant, type: 'payment.created', padding: 'x'.repeat(padding) });
      log.append(next, eventOf({ epoch: log.standing?.epoch ?? 0, position: next }, body));
    },
    whatIsOlder(answer: typeof older) {
      older = answer;
    },
  };
}

describe('A connection', () => {
  it('gets the events of its tenant and no other', () => {
    const { connect, publish, state } = world();
    const client = new Client();
    const connection = connect(client);
    for (const tenant of ['acme', 'other', 'acme']) publish(tenant);
    connection.pump();
    expect(client.ids).toEqual(['1:1', '1:3']);
    expect(client.text).not.toContain('other');
    expect([state.sent, connection.place]).toEqual([2, { epoch: 1, position: 3 }]);
  });

  it('is told how far it is when nothing came for it, so that it resumes from there', () => {
    const { connect, publish, state } = world();
    const client = new Client();
    const connection = connect(client);
    for (let n = 0; n < 5; n += 1) publish('other');
    connection.pump();
    state.now = 99;
    connection.tick();
    expect(client.text).not.toContain('1:5');
    state.now = 100;
    connection.tick();
    expect(client.text.endsWith(': still here\nid: 1:5\n\n')).toBe(true);
  });

  it('is told so by an event when it asked for that: a page hears nothing else', () => {
    const { connect, publish, state } = world();
    const client = new Client();
    const connection = connect(client, null, 'event');
    publish('other');
    connection.pump();
    state.now = 100;
    connection.tick();
    expect(client.text.endsWith(': still here\nid: 1:1\nevent: here\ndata: {}\n\n')).toBe(true);
  });

  it('ends when it is as old as it may be, at 80 % of that at the earliest', () => {
    const { connect, state } = world();
    const client = new Client();
    const connection = connect(client);
    state.now = 7_999;
    connection.tick();
    expect(state.closed).toEqual([]);
    state.now = 10_000;
    connection.tick();
    expect([state.closed, client.writableEnded]).toEqual([['age'], true]);
  });
});

describe('A client that takes nothing', () => {
  it('is written no more than a batch, however much is published', () => {
    const { connect, publish } = world();
    const client = new Client();
    const connection = connect(client);
    client.asleep = true;
    for (let n = 0; n < 500; n += 1) {
      publish('acme', 500);
      connection.pump();
    }
    expect(client.writableLength).toBeLessThan(66_000);
  });

  it('is cut off after a while, and one that takes a little is not', () => {
    const { connect, publish, state } = world();
    const [dead, slow] = [new Client(), new Client()];
    const connections = [connect(dead), connect(slow)];
    dead.asleep = slow.asleep = true;
    publish('acme', 2000);
    for (const one of connections) one.pump();
    state.now = 49;
    slow.wake();
    for (const one of connections) one.tick();
    expect(state.closed).toEqual([]);
    state.now = 50;
    for (const one of connections) one.tick();
    expect(state.closed).toEqual(['slow']);
    expect([dead.destroyed, slow.destroyed]).toEqual([true, false]);
  });

  it('goes on where it was when it wakes in time, with everything in order', async () => {
    const { connect, publish } = world();
    const client = new Client();
    const connection = connect(client);
    client.asleep = true;
    for (let n = 0; n < 300; n += 1) publish('acme', 500);
    connection.pump();
    client.wake();
    for (let n = 0; n < 20; n += 1) await turn();
    expect(client.ids).toEqual(Array.from({ length: 300 }, (_, index) => `1:${index + 1}`));
  });
});

describe('A client that comes back', () => {
  const pages = async (after: Place): Promise<Older> => {
    const positions = [1, 2, 3].map((n) => after.position + n);
    const frames = positions.map((position) => eventOf({ epoch: 1, position }, '{"tenant":"acme","type":"payment.created"}')!.frame);
    return { kind: 'page', frames, through: after.position + 3 };
  };

  it('reads page by page what is no longer in memory, then goes on from memory', async () => {
    const { connect, publish, whatIsOlder } = world({ position: 9 });
    whatIsOlder(pages);
    publish('acme');
    const client = new Client();
    connect(client, { epoch: 1, position: 0 });
    for (let n = 0; n < 10; n += 1) await turn();
    expect(client.ids).toEqual(Array.from({ length: 10 }, (_, index) => `1:${index + 1}`));
  });

  it('waits while payments does not answer, is kept alive, and then gets everything', async () => {
    const { connect, whatIsOlder, state } = world({ position: 3 });
    const client = new Client();
    const connection = connect(client, { epoch: 1, position: 0 });
    await turn();
    state.now = 500;
    connection.tick();
    expect([client.ids, state.waited]).toEqual([[], 1]);
    expect(client.text).toContain('still here\nid: 1:0\n');
    whatIsOlder(pages);
    state.now = 999;
    connection.tick();
    await turn();
    expect(client.ids).toEqual([]);
    state.now = 1000;
    connection.tick();
    await turn();
    expect(client.ids).toEqual(['1:1', '1:2', '1:3']);
  });

  it.each<Older>([{ kind: 'other_epoch' }, { kind: 'page', frames: [], through: 0 }])(
    'asks again later, not at once, when payments answers with nothing to go on with: %j',
    async (page) => {
      const { connect, whatIsOlder, state } = world({ position: 3 });
      whatIsOlder(() => Promise.resolve(page));
      const connection = connect(new Client(), { epoch: 1, position: 0 });
      for (let n = 0; n < 10; n += 1) await turn();
      expect([state.waited, state.resets]).toEqual([1, []]);
      state.now = 1000;
      connection.tick();
      await turn();
      expect(state.waited).toBe(2);
    },
  );

  it('is told to read the state anew when what it missed is not kept, once', async () => {
    const { connect, whatIsOlder, state, publish } = world({ position: 3 });
    whatIsOlder(() => Promise.resolve({ kind: 'below_floor' }));
    const client = new Client();
    const connection = connect(client, { epoch: 1, position: 0 });
    await turn();
    publish('acme');
    connection.pump();
    expect(state.resets).toEqual(['below_floor']);
    expect(client.text).toContain('id: 1:3\nevent: reset\n');
    expect(client.ids).toEqual(['1:4']);
  });

  it('waits, and has payments asked, when it comes from a replica that knows more than this one', () => {
    const { connect, log, state, publish } = world({ position: 3 });
    const [further, restored] = [new Client(), new Client()];
    const connections = [connect(further, { epoch: 1, position: 5 }), connect(restored, { epoch: 2, position: 3 })];
    const pump = () => connections.forEach((one) => one.pump());
    expect(state.waited).toBe(2);
    for (let n = 4; n <= 6; n += 1) publish('acme');
    pump();
    expect([further.ids, restored.ids, state.resets]).toEqual([['1:6'], [], []]);
    log.beginAt({ epoch: 2, epochStart: 3, floor: 1, position: 3 });
    publish('acme');
    pump();
    expect([restored.ids, state.resets]).toEqual([['2:4'], ['epoch']]);
    expect(restored.text).not.toContain('reset');
  });

  it.each<Place>([
    { epoch: 1, position: 900 },
    { epoch: 7, position: 2 },
  ])('is told so when payments, asked after it came, has never been as far as its id says: %j', (lastSeen) => {
    const { connect, state, publish } = world({ position: 3 });
    const client = new Client();
    state.now = 10;
    const connection = connect(client, lastSeen);
    state.headReadAt = 10;
    connection.pump();
    expect(state.resets).toEqual([]);
    state.headReadAt = 11;
    connection.pump();
    publish('acme');
    connection.pump();
    expect([state.resets, client.ids]).toEqual([['epoch'], ['1:4']]);
    expect(client.text).toContain('id: 1:3\nevent: reset\n');
  });

  it('keeps the id that it came with until it is told so: half an answer must not move it', () => {
    const { connect, log } = world({ position: 3 });
    log.beginAt({ epoch: 2, epochStart: 3, floor: 1, position: 2 });
    const client = new Client();
    connect(client, { epoch: 1, position: 3 });
    expect(client.text).toMatch(/^retry: \d+\n\nid: 2:2\nevent: reset\n/);
  });

  it('is told so after a restore, whether it was connected or comes later', () => {
    const { connect, log, state, publish } = world({ position: 3 });
    const [there, later] = [new Client(), new Client()];
    const connection = connect(there);
    log.beginAt({ epoch: 2, epochStart: 3, floor: 1, position: 2 });
    connection.pump();
    const second = connect(later, { epoch: 1, position: 3 });
    publish('acme');
    for (const one of [connection, second]) one.pump();
    expect(state.resets).toEqual(['epoch', 'epoch']);
    for (const client of [there, later]) expect([client.text.match(/event: reset/g)?.length, client.ids]).toEqual([1, ['2:3']]);
  });
});
