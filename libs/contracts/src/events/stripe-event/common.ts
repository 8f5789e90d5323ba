import { z } from 'zod';
import { defineEvent, type EventContract } from '../../envelope.js';

/** Why Stripe says that something failed; `code` is Stripe's. */
export const StripeFailureDetails = z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() });
export const StripeCard = z.object({ brand: z.string(), last4: z.string() });

/** A whole number of minor units of the object's currency, seconds since 1970, or a count; null where Stripe has none. */
export const number = z.int().nullable();
export const text = z.string().nullable();
export const flag = z.boolean().nullable();

/** For a field that came later than its contract: events from before do not have it. */
export const since = <T extends z.ZodType>(schema: T) => schema.optional();

/**
 * What all objects of Stripe have in common. `payment_intent` is the intent that the object is about, or itself when it is one; events with the same are in
 * order of their `aggregate`. `customer` is Stripe's id.
 */
export const commonFields = {
  id: z.string(),
  status: text,
  created: number,
  payment_intent: text,
  customer: text,
  metadata: z.record(z.string(), z.string()),
};

/**
 * A Stripe event around its object. `hint` false: the object is as Stripe rendered it for the event, at `created` (whole seconds, Stripe's clock). `hint`
 * true: it was retrieved after the event, in the API version that Tidegate is written for, and is as old as the envelope's `occurred_at`, the start of that
 * request; several events may carry the same. `api_version` is what Stripe rendered the event in. `replay`: somebody asked for this event to be published again.
 */
export const stripeEventOf = <T extends z.ZodType>(object: T) =>
  z.object({
    stripe_event_id: z.string(),
    type: z.string(),
    created: z.int(),
    livemode: z.boolean(),
    api_version: z.string().nullable(),
    hint: z.boolean(),
    replay: z.boolean(),
    request_idempotency_key: z.string().nullable(),
    object,
  });

interface KindOfEvents<T> {
  types: readonly string[];
  object: z.ZodType<T>;
  example: T;
  doc: (type: string) => string;
}

/** One contract per event type of one kind of object: `payment_intent.succeeded` travels on `stripe.events.payment_intent.succeeded.v1`. */
export const stripeContracts = <T>({ types, object, example, doc }: KindOfEvents<T>): EventContract[] =>
  types.map((type) =>
    defineEvent({
      subject: `stripe.events.${type}.v1`,
      version: 1,
      doc: doc(type),
      data: stripeEventOf(object),
      example: { ...exampleEvent(type), object: example },
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
