import { type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { type Incoming } from '@tidegate/messaging/incoming';
import { type PaymentsWorld } from './payments-world.js';

type Json = Record<string, unknown>;

/** Everything that the simulator told so far, as the webhooks service would pass it on, oldest first. */
export function newsOf(world: PaymentsWorld): Incoming[] {
  return world.simulator.world.events.records
    .all()
    .map(({ event }) => event)
    .toSorted((a, b) => a.created - b.created)
    .map((event, index) => incoming(event.id, event.type, event.created, event.data.object as Json, index + 1));
}

/** All news about one payment so far, in the order given by `order`, then what follows from it. */
export async function catchUp(
  world: PaymentsWorld,
  intentId: string | null,
  order: (news: Incoming[]) => Incoming[] = (news) => news,
): Promise<void> {
  for (const message of order(newsOf(world).filter((one) => one.aggregate === intentId))) await deliver(world, message);
  await world.settle();
}

/** Hands one message to the consumer, in a transaction as the inbox does. Transient failures are thrown. */
export async function deliver(world: PaymentsWorld, message: Incoming): Promise<void> {
  const { stripeEvents } = world.parts;
  const prepared = await stripeEvents.prepare(message);
  await world.db.transaction().execute((tx) => stripeEvents.handle(tx, message, prepared));
  stripeEvents.afterCommit(message);
}

function incoming(id: string, type: string, created: number, object: Json, position: number): Incoming {
  const data = normalized(id, type, created, object);
  const aggregate = data.object.payment_intent ?? data.object.id;
  return {
    consumer: 'payments-stripe-events',
    generation: 1,
    messageId: id,
    stream: 'STRIPE_EVENTS',
    epoch: 1,
    position,
    subject: stripeSubject(type),
    aggregate,
    attempt: 1,
    envelope: {
      id,
      type,
      version: 1,
      tenant: 'default',
      account: null,
      aggregate: { id: aggregate, version: position },
      occurred_at: new Date(created * 1000).toISOString(),
      correlation_id: id,
      causation_id: null,
      traceparent: null,
      data,
    },
  };
}

function failureOf(object: Json): NormalizedStripeEvent['object']['failure'] {
  const reason = object['failure_reason'];
  if (typeof reason === 'string') return { code: reason, decline_code: null, message: reason };
  const error = object['last_payment_error'] as { code?: string; decline_code?: string; message?: string } | null | undefined;
  return error ? { code: error.code ?? '', decline_code: error.decline_code ?? null, message: error.message ?? '' } : null;
}

function disputeOf(object: Json): NonNullable<NormalizedStripeEvent['object']['dispute']> {
  const movements = object['balance_transactions'] as { amount: number; fee: number; currency: string }[];
  const total = (take: (one: (typeof movements)[number]) => number) => movements.reduce((sum, one) => sum + take(one), 0);
  return {
    reason: object['reason'] as string,
    due_by: (object['evidence_details'] as { due_by: number | null }).due_by,
    movements: movements.length,
    currency: movements[0]?.currency ?? null,
    withdrawn: total((one) => Math.max(0, -one.amount)),
    reinstated: total((one) => Math.max(0, one.amount)),
    fee: total((one) => one.fee),
  };
}

function normalized(id: string, type: string, created: number, object: Json): NormalizedStripeEvent {
  const kind = String(object['object']);
  const text = (name: string) => (typeof object[name] === 'string' ? (object[name] as string) : null);
  const number = (name: string) => (typeof object[name] === 'number' ? (object[name] as number) : null);
  return {
    stripe_event_id: id,
    type,
    created,
    livemode: false,
    api_version: null,
    hint: false,
    replay: false,
    request_idempotency_key: null,
    object: {
      object: kind,
      id: text('id') ?? '',
      status: text('status'),
      created: number('created'),
      payment_intent: kind === 'payment_intent' ? text('id') : text('payment_intent'),
      charge: kind === 'charge' ? text('id') : (text('charge') ?? text('latest_charge')),
      customer: text('customer'),
      amount: number('amount') ?? number('amount_total'),
      amount_captured: number(kind === 'payment_intent' ? 'amount_received' : 'amount_captured'),
      amount_capturable: number('amount_capturable'),
      amount_refunded: number('amount_refunded'),
      currency: text('currency'),
      capture_method: text('capture_method'),
      cancellation_reason: text('cancellation_reason'),
      failure: failureOf(object),
      card: null,
      ...(kind === 'checkout.session' && { payment_status: text('payment_status') }),
      metadata: (object['metadata'] ?? {}) as Record<string, string>,
      ...(kind === 'dispute' ? { dispute: disputeOf(object) } : {}),
    },
  };
}
