import { z } from 'zod';
import { defineEvent, type EventContract } from '../../envelope.js';

/** Why Stripe says that something failed; `code` is Stripe's. */
export const StripeFailureDetails = z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() });
export const StripeCard = z.object({ brand: z.string(), last4: z.string() });

/** All are null where Stripe has none. */
export const amount = z.int().nullable().describe('In the minor unit of the currency.');
export const seconds = z.int().nullable().describe('Seconds since 1970.');
export const count = z.int().nullable();
export const text = z.string().nullable();
export const flag = z.boolean().nullable();

/** For a field that came later than its contract: events from before do not have it. */
export const since = <T extends z.ZodType>(schema: T) => schema.optional();

/**
 * What all objects of Stripe have in common. Events with the same `payment_intent` are of one aggregate, and in order.
 */
export const commonFields = {
  id: z.string(),
  status: text,
  created: seconds,
  payment_intent: text.describe('The PaymentIntent that it is about, or itself when it is one.'),
  customer: text.describe("Stripe's id."),
  metadata: z
    .record(z.string(), z.string())
    .describe(
      "Tidegate's own keys (tenant_id, payment_id, refund_id, checkout_id, command_id) and no other: the rest may be about a person.",
    ),
};

/**
 * A Stripe event around its object. `hint` false: the object is as Stripe rendered it for the event, at `created` (whole seconds, Stripe's clock). `hint`
 * true: it was retrieved after the event, in the API version that Tidegate is written for, and is as old as the envelope's `occurred_at`, the start of that
 * request; several events may carry the same. `api_version` is what Stripe rendered the event in. `replay`: an operator had
 * it published once more, and `replay_of` of the envelope names the message of the first time.
 */
export const stripeEventOf = <T extends z.ZodType>(object: T) =>
  z.object({
    stripe_event_id: z.string().describe("Stripe's id of the event, evt_…"),
    type: z.string().describe("Stripe's type, without the version that thin events have in it."),
    created: z.int().describe("When it happened by Stripe's clock, in seconds since 1970."),
    livemode: z.boolean(),
    api_version: z
      .string()
      .nullable()
      .describe('What Stripe rendered the event in; a retrieved object is in the version that Tidegate is written for.'),
    hint: z
      .boolean()
      .describe(
        'True: the object was retrieved after the event, and is as old as occurred_at. False: it is as Stripe rendered it for the event.',
      ),
    replay: z
      .boolean()
      .describe('An operator had this event published once more; replay_of of the envelope names the message of the first time.'),
    request_idempotency_key: z
      .string()
      .nullable()
      .describe("Of the request that caused the event; null when there was none, or it was nobody's."),
    object,
  });

interface KindOfEvents<T> {
  types: readonly string[];
  object: z.ZodType<T>;
  example: T;
  /** True for kinds that are always retrieved. */
  hint?: boolean;
  doc: (type: string) => string;
}

/** One contract per event type of one kind of object: `payment_intent.succeeded` travels on `stripe.events.payment_intent.succeeded.v1`. */
export const stripeContracts = <T>({ types, object, example, hint = false, doc }: KindOfEvents<T>): EventContract[] =>
  types.map((type) =>
    defineEvent({
      subject: `stripe.events.${type}.v1`,
      version: 1,
      doc: doc(type),
      data: stripeEventOf(object),
      example: { ...exampleEvent(type), hint, object: example },
    }),
  );

/** An example of all that stands around the object. */
export const exampleEvent = (type: string) => ({
  stripe_event_id: 'evt_1Example',
  type,
  created: 1795240800,
  livemode: false,
  api_version: '2026-10-28.endive',
  hint: false,
  replay: false,
  request_idempotency_key: null,
});
