import { stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { type Incoming } from '@tidegate/messaging/incoming';
import { normalizedEvent } from '@tidegate/webhooks/normalize/normalized-event.decide';
import { aggregateOf } from '@tidegate/webhooks/normalize/object/normalized-object.decide';
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

/** Hands messages of different aggregates to the consumer as a batch of the inbox does; answers how many of them it took together. */
export async function deliverTogether(world: PaymentsWorld, messages: readonly Incoming[]): Promise<number> {
  const { stripeEvents } = world.parts;
  const left = await world.db.transaction().execute((tx) => stripeEvents.handleSome(tx, messages, (_, work) => work()));
  for (const message of messages) if (!left.includes(message)) stripeEvents.afterCommit(message);
  for (const message of left) await deliver(world, message);
  return messages.length - left.length;
}

function incoming(id: string, type: string, created: number, object: Json, position: number): Incoming {
  const data = normalizedEvent(
    {
      stripe_event_id: id,
      event_type: type,
      created: new Date(created * 1000),
      livemode: false,
      api_version: null,
      hint: false,
      message_id: null,
      payload: Buffer.from(JSON.stringify({ data: { object } })),
    },
    null,
  );
  const aggregate = aggregateOf(data.object);
  return {
    consumer: 'payments-stripe-events',
    generation: 1,
    messageId: id,
    stream: 'STRIPE_EVENTS',
    epoch: 1,
    position,
    subject: stripeSubject(type, data.object.object),
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
