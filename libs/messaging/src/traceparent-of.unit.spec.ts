import { describe, expect, it } from '@jest/globals';
import { bodyOf, envelope } from './outbox.js';
import { traceparentOf } from './traceparent-of.js';

const TRACEPARENT = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;
const SUBJECT = 'payments.events.payment.created.v1';

const bytes = (traceparent: string | null, correlationId = 'cor_1') =>
  Buffer.from(
    bodyOf({
      aggregate: 'pay_1',
      subject: SUBJECT,
      envelope: envelope(SUBJECT, {
        tenant: 'default',
        aggregateId: 'pay_1',
        aggregateVersion: 1,
        occurredAt: new Date(0),
        correlationId,
        causationId: null,
        traceparent,
        data: { traceparent: 'another one' },
      }),
    }),
  );

describe('The traceparent of a message', () => {
  it('is that of its envelope', () => {
    expect(traceparentOf(bytes(TRACEPARENT))).toBe(TRACEPARENT);
  });

  it('is absent when the envelope has none, whatever stands in the data', () => {
    expect(traceparentOf(bytes(null))).toBeNull();
    expect(traceparentOf(Buffer.from('{"data":{}}'))).toBeNull();
  });

  it('is not what a text before it looks like', () => {
    expect(traceparentOf(bytes(TRACEPARENT, 'x","traceparent":"00-forged"'))).toBe(TRACEPARENT);
  });
});
