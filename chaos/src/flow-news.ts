import { type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { isRetrievable } from '@tidegate/stripe-gateway/retrievable';
import { type StripeEvent } from '@tidegate/stripe-simulator/events/event';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { isHint } from '@tidegate/webhooks/normalize/hint.decide';
import { normalizedEvent } from '@tidegate/webhooks/normalize/normalized-event.decide';
import { type AtStripe, type Flow } from './stripe-flows.js';

/** All of a flow happened in this second, as far as Stripe's events tell. */
export const SECOND = 1_795_240_800;
/** By then everything has happened that happens by itself. */
const LATER = 7 * 86_400;

export interface Stage {
  simulator: Simulator;
  stripe: Pick<StripePort, 'retrieveObject'>;
  at: AtStripe;
}

export interface Told {
  event: NormalizedStripeEvent;
  /** Milliseconds: Stripe's second of a snapshot, the start of the request for a retrieved object. */
  asOf: number;
}

/** Plays a flow and answers what webhooks publishes of it: hints with the object as it was when their step was done. */
export async function newsOf(flow: Flow, { simulator, stripe, at }: Stage): Promise<Told[]> {
  simulator.reset();
  const told: Told[] = [];
  const made: Record<string, string> = {};
  let seen = 0;
  const steps = [...flow.steps, async () => simulator.advanceClock(LATER)];
  for (const [i, step] of steps.entries()) {
    await step(at, made);
    const events = simulator.world.events.records.all().slice(seen);
    seen += events.length;
    for (const { event } of events) told.push(await published(stripe, event, i));
  }
  return told;
}

async function published(stripe: Stage['stripe'], event: StripeEvent, step: number): Promise<Told> {
  const object = event.data.object as { object: string; id: string };
  const arrived = {
    source: 'webhook' as const,
    event_type: event.type,
    object_kind: object.object,
    object_id: object.id,
    api_version: API_VERSION,
    account: null,
    livemode: false,
  };
  const hint = isHint(arrived, { livemode: false, apiVersion: API_VERSION });
  const row = {
    stripe_event_id: event.id,
    event_type: event.type,
    created: new Date(SECOND * 1000),
    livemode: false,
    api_version: API_VERSION,
    hint,
    message_id: null,
    payload: Buffer.from(JSON.stringify({ ...event, created: SECOND })),
  };
  if (!hint || !isRetrievable(object.object)) return { event: normalizedEvent(row, null), asOf: SECOND * 1000 };
  const retrieved = await stripe.retrieveObject(object.object, object.id);
  const shown = { object: retrieved.kind === 'ok' ? retrieved.value : null };
  return { event: normalizedEvent(row, shown), asOf: SECOND * 1000 + 1 + step };
}
