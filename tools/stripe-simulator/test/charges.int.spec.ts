import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

describe('A charge', () => {
  it('can be described and labelled, which charge.updated tells with what was before', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, metadata: { a: '1' } });
    const shipping = { name: 'Ada', address: { line1: 'Street 1' } };
    const charge = await stripe.charges.update(intent.latest_charge as string, { description: 'books', metadata: { b: '2' }, shipping });
    expect(charge).toMatchObject({ description: 'books', metadata: { a: '1', b: '2' }, shipping });
    const updates = (await stripe.events.list({ type: 'charge.updated' })).data;
    // The balance of the charge may come meanwhile and is told by an event of the same type.
    expect(updates.map((event) => event.data.previous_attributes)).toContainEqual({
      description: null,
      metadata: { b: null },
      shipping: null,
    });
  });

  it('is listed by its intent and missing by an unknown id', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    expect((await stripe.charges.list({ payment_intent: intent.id })).data.map(({ id }) => id)).toEqual([intent.latest_charge]);
    expect(await errorOf(stripe.charges.retrieve('ch_x'))).toMatchObject({ statusCode: 404, message: "No such charge: 'ch_x'" });
  });

  it('has a receipt link once captured', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, expand: ['latest_charge'] });
    const url = (intent.latest_charge as Stripe.Charge).receipt_url!;
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('20.00 usd');
  });
});
