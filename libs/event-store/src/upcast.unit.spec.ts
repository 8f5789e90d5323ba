import { describe, expect, it } from '@jest/globals';
import { type StoredEvent } from './event.js';
import { upcastWith } from './upcast.js';

const stored: StoredEvent = {
  position: 1,
  stream: 's',
  stream_version: 1,
  type: 'Placed',
  version: 1,
  data: { amount: 1 },
  metadata: { correlation_id: 'c', causation_id: null, traceparent: null },
  occurred_at: new Date(0),
};

describe('When old events are read', () => {
  const upcast = upcastWith({ Placed: { 1: (data) => ({ ...(data as object), currency: 'eur' }), 2: (data) => ({ lines: [data] }) } });

  it('lifts them step by step to the newest shape', () => {
    expect(upcast(stored)).toMatchObject({ version: 3, data: { lines: [{ amount: 1, currency: 'eur' }] } });
  });

  it('leaves the newest shape and unknown types alone', () => {
    expect(upcast({ ...stored, version: 3 })).toMatchObject({ version: 3, data: { amount: 1 } });
    expect(upcast({ ...stored, type: 'Other' })).toEqual({ ...stored, type: 'Other' });
  });
});
