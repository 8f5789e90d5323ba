import { type PaymentFact, paymentSubject } from '@tidegate/contracts/events/payment';
import { examplePaymentSnapshot, type PaymentSnapshot } from '@tidegate/contracts/payment';
import { bodyOf, envelope } from '@tidegate/messaging/outbox';
import { type Client } from 'pg';

/** What payments tells of a payment that is paid, in the order in which it does, and then in part given back. */
const LIFE: readonly { fact: PaymentFact; shows: Partial<PaymentSnapshot> }[] = [
  { fact: 'created', shows: { status: 'unknown', amount_captured: 0, stripe_charge: null } },
  { fact: 'processing', shows: { status: 'processing', amount_captured: 0, stripe_charge: null } },
  { fact: 'succeeded', shows: {} },
  { fact: 'refund_updated', shows: { refunds: [refund('pending')] } },
  { fact: 'refund_updated', shows: { refunds: [refund('succeeded')], amount_refunded: 700 } },
];
export const EVENTS_OF_A_PAYMENT = LIFE.length;

/** Payments that are under way at the same time. */
const AT_ONCE = 1_000;

const id = (n: number): string => String(n).padStart(24, '0');

/** Writes `payments` histories into the outbox of payments, as its transactions would have; nothing is published yet. */
export async function writeHistory(admin: Client, payments: number): Promise<void> {
  for (let from = 0; from < payments; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, payments - from) }, (_, n) => from + n);
    const messages = LIFE.flatMap((_, step) => some.map((n) => told(n, step)));
    await admin.query(
      `INSERT INTO payments.outbox (message_id, aggregate, subject, bytes)
       SELECT message_id, aggregate, subject, convert_to(body, 'UTF8')
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS m (message_id, aggregate, subject, body, n) ORDER BY n`,
      [
        messages.map((one) => one.envelope.id),
        messages.map((one) => one.aggregate),
        messages.map((one) => one.subject),
        messages.map(bodyOf),
      ],
    );
  }
}

function told(n: number, step: number) {
  const { fact, shows } = LIFE[step]!;
  const payment_id = `pay_${id(n)}`;
  const occurredAt = new Date(Date.parse(examplePaymentSnapshot.created_at) + n * 10 + step);
  const data: PaymentSnapshot = {
    ...examplePaymentSnapshot,
    ...shows,
    payment_id,
    refunds: (shows.refunds ?? []).map((one) => ({ ...one, id: `rfd_${id(n)}`, stripe_refund: `re_${id(n)}` })),
    stripe_payment_intent: `pi_${id(n)}`,
    updated_at: occurredAt.toISOString(),
  };
  const parts = { tenant: 'default', aggregateId: payment_id, aggregateVersion: step + 1, occurredAt, data };
  const subject = paymentSubject(fact);
  return {
    aggregate: payment_id,
    subject,
    envelope: envelope(subject, { ...parts, correlationId: payment_id, causationId: null, traceparent: null }),
  };
}

function refund(status: 'pending' | 'succeeded'): PaymentSnapshot['refunds'][number] {
  return { id: 'rfd_', status, amount: 700, reason: null, stripe_refund: null };
}
