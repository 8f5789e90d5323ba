import { describe, expect, it } from '@jest/globals';
import { MAX_DEPTH, readEventBody } from './event-body.decide.js';
import { nestingDepth } from './nesting.decide.js';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const snapshot = {
  id: 'evt_1A',
  object: 'event',
  type: 'payment_intent.succeeded',
  created: 1795240800,
  livemode: false,
  api_version: '2026-10-28.endive',
  pending_webhooks: 1,
  request: null,
  data: { object: { id: 'pi_1', object: 'payment_intent', metadata: { tenant_id: 'other' } } },
};

describe('The body of a delivery', () => {
  it('is read as a snapshot event', () => {
    expect(readEventBody(bytes(snapshot))).toEqual({
      kind: 'event',
      event: {
        stripe_event_id: 'evt_1A',
        event_type: 'payment_intent.succeeded',
        created: new Date('2026-11-21T06:00:00Z'),
        object_id: 'pi_1',
        object_kind: 'payment_intent',
        source: 'webhook',
        livemode: false,
        api_version: '2026-10-28.endive',
        account: null,
        tenant_hint: 'other',
      },
    });
  });

  it('is read as a thin event', () => {
    const thin = {
      id: 'evt_2',
      object: 'v2.core.event',
      type: 'v1.charge.succeeded',
      created: '2026-11-21T06:00:00.123Z',
      livemode: false,
      related_object: { id: 'ch_1', type: 'charge', url: '/v1/charges/ch_1' },
    };
    expect(readEventBody(bytes(thin))).toMatchObject({
      kind: 'event',
      event: { source: 'thin', event_type: 'v1.charge.succeeded', object_id: 'ch_1', tenant_hint: null },
    });
  });

  it('may be of a type that nobody knows', () => {
    expect(readEventBody(bytes({ ...snapshot, type: 'brand.new_thing' }))).toMatchObject({
      kind: 'event',
      event: { event_type: 'brand.new_thing' },
    });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"id":'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a string', '"evt_1"'],
    ['null', 'null'],
    ['an array', '[]'],
    ['an object that is no event', '{"object":"charge","id":"ch_1"}'],
    ['no id', { ...snapshot, id: undefined }],
    ['an id with a NUL', { ...snapshot, id: 'evt_\u0000' }],
    ['an endless id', { ...snapshot, id: 'e'.repeat(256) }],
    ['a fractional time', { ...snapshot, created: 1.5 }],
    ['a time beyond the calendar', { ...snapshot, created: 1e15 }],
    ['a negative time', { ...snapshot, created: -1 }],
    ['no object', { ...snapshot, data: {} }],
    ['an array as object', { ...snapshot, data: { object: [] } }],
    ['a bomb of brackets', '['.repeat(100_000)],
    ['nesting just over the cap', `{"a":${'['.repeat(MAX_DEPTH)}${']'.repeat(MAX_DEPTH)}}`],
  ])('is malformed when it is %s', (_what, body) => {
    const raw = body instanceof Uint8Array ? body : bytes(body);
    expect(readEventBody(raw).kind).toBe('malformed');
  });

  it('may have any number of brackets in its texts, and side by side', () => {
    const object = {
      id: 'pi_1',
      object: 'payment_intent',
      description: '[{'.repeat(MAX_DEPTH),
      list: Array.from({ length: MAX_DEPTH }, () => [{}]),
    };
    expect(readEventBody(bytes({ ...snapshot, data: { object } })).kind).toBe('event');
  });

  it.each([['__proto__'], ['a b'], ['x'.repeat(65)], [7], [null]])('gives no tenant hint for %p', (tenant) => {
    const body = bytes({ ...snapshot, data: { object: { metadata: { tenant_id: tenant } } } });
    const read = readEventBody(body);
    expect(read).toMatchObject({ kind: 'event', event: { tenant_hint: null } });
  });
});

describe('Nesting', () => {
  it('is not counted inside strings', () => {
    expect(nestingDepth(bytes('{"a":"[[[{{{","b\\"[[":1}'))).toBe(1);
  });

  it('is the deepest point, not the end', () => {
    expect(nestingDepth(bytes('[[[]],{}]'))).toBe(3);
  });
});
