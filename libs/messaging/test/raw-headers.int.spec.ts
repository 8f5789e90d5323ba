import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { headerOf } from '../src/raw-headers.js';

jest.setTimeout(60_000);

const NAMES = ['Nats-Msg-Id', 'Tidegate-Position', 'Tidegate-Aggregate', 'traceparent', 'Absent'] as const;
/** Larger than what comes from a socket at once. */
const LARGE = 300_000;

describe('Headers that are read from the bytes of a message', () => {
  let nats: TestNats;
  let nc: NatsConnection;
  beforeEach(async () => {
    nats = await natsForTests();
    nc = await connect(nats.connectOptions());
  });
  afterEach(async () => {
    await nc.close();
    await nats.stop();
  });

  async function received(sent: readonly { headers?: Record<string, string[]>; data?: string }[]): Promise<Msg[]> {
    const subscription = nc.subscribe('told', { max: sent.length });
    for (const { headers: told, data } of sent) {
      const some = headers();
      for (const [name, values] of Object.entries(told ?? {})) for (const value of values) some.append(name, value);
      nc.publish('told', data ?? '', told ? { headers: some } : {});
    }
    const all: Msg[] = [];
    for await (const message of subscription) all.push(message);
    return all;
  }

  it.each([
    [
      'all of them',
      { headers: { 'Nats-Msg-Id': ['one'], 'Tidegate-Position': ['1:22'], 'Tidegate-Aggregate': ['payment:pay_1'] }, data: '{}' },
    ],
    ['none', { data: '{}' }],
    ['none, after text like one', { data: 'NATS/1.0\r\nNats-Msg-Id: not this\r\n\r\n' }],
    ['no data', { headers: { 'Nats-Msg-Id': ['one'] } }],
    ['data like headers', { headers: { traceparent: ['00-1'] }, data: 'NATS/1.0\r\nNats-Msg-Id: not this\r\n\r\n' }],
    ['several of one name', { headers: { 'Nats-Msg-Id': ['first', 'second'] }, data: '{}' }],
    [
      'a name that is the end of another, and a value that looks like one',
      { headers: { 'Not-Nats-Msg-Id': ['Nats-Msg-Id: not this'], 'Nats-Msg-Id': ['this'] } },
    ],
    [
      'a value that reads, or ends, as their first line does',
      {
        headers: {
          'Nats-Msg-Id': ['one'],
          'Tidegate-Aggregate': ['NATS/1.0'],
          traceparent: ['not NATS/1.0'],
          'Tidegate-Position': ['1:22'],
        },
      },
    ],
    ['letters beyond ASCII', { headers: { 'Tidegate-Aggregate': ['K\u00e4ufer \u20ac \ud83d\ude00'] }, data: '\u20ac' }],
    ['an empty one, and one with blanks', { headers: { 'Nats-Msg-Id': [''], 'Tidegate-Position': ['  1:2  '] }, data: '{}' }],
    ['names in other letters', { headers: { 'nats-msg-id': ['one'] }, data: '{}' }],
    ['much data', { headers: { 'Nats-Msg-Id': ['one'], 'Tidegate-Position': ['1:22'] }, data: 'x'.repeat(LARGE) }],
  ])('are those that the client has: %s', async (_what, one) => {
    // Between others, so that their headers are in front of it in the same bytes.
    const other = { headers: { 'Nats-Msg-Id': ['other'], 'Tidegate-Aggregate': ['other'] }, data: '{"other":true}' };
    for (const message of await received([other, one, one, other, one])) {
      const header = headerOf(message, message.data);
      expect(NAMES.map((name) => header(name))).toEqual(NAMES.map((name) => message.headers?.get(name) ?? ''));
    }
  });

  it('are not those that data before it look like, where its own begin with a status', async () => {
    const subscription = nc.subscribe('told', { max: 2 });
    const status = headers(100, 'Somebody is here');
    status.set('Tidegate-Aggregate', 'own');
    nc.publish('told', '\nNATS/1.0\r\nNats-Msg-Id: not this');
    nc.publish('told', '{}', { headers: status });
    for await (const message of subscription) {
      const header = headerOf(message, message.data);
      expect(NAMES.map((name) => header(name))).toEqual(NAMES.map((name) => message.headers?.get(name) ?? ''));
    }
  });

  it('are there without the client', async () => {
    const data = ['{}', 'x'.repeat(LARGE), '{}'];
    const messages = await received(data.map((one, n) => ({ headers: { 'Nats-Msg-Id': [`m${n}`] }, data: one })));
    expect(messages.map((message) => headerOf({}, message.data)('Nats-Msg-Id'))).toEqual(['m0', 'm1', 'm2']);
  });

  it('are asked of the client where its bytes are not there', async () => {
    const [message] = await received([{ headers: { 'Nats-Msg-Id': ['one'] }, data: '{}' }]);
    expect(headerOf(message!, Uint8Array.from(message!.data))('Nats-Msg-Id')).toBe('one');
    const gap = Buffer.concat([Buffer.from('NATS/1.0\r\nNats-Msg-Id: not this\r\n\r\nsomething else {}')]);
    expect(headerOf(message!, gap.subarray(gap.length - 2))('Nats-Msg-Id')).toBe('one');
  });
});
