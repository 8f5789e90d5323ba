import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const eventTypes = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);

describe('A product', () => {
  it('is made, changed, listed and deleted, each with its event', async () => {
    const product = await stripe.products.create({ name: 'Tea', metadata: { sku: 't1' } });
    expect(product).toMatchObject({ active: true, type: 'service', metadata: { sku: 't1' } });
    const updated = await stripe.products.update(product.id, { active: false, description: 'Green', metadata: { sku: null, more: 'x' } });
    expect(updated).toMatchObject({ active: false, description: 'Green', metadata: { more: 'x' } });
    expect((await stripe.products.list({ active: true })).data).toEqual([]);
    expect((await stripe.products.list({ ids: [product.id] })).data).toHaveLength(1);
    expect(await stripe.products.del(product.id)).toEqual({ id: product.id, object: 'product', deleted: true });
    expect(await errorOf(stripe.products.retrieve(product.id))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    expect(eventTypes()).toEqual(['product.created', 'product.updated', 'product.deleted']);
  });

  it('keeps a chosen id once, and can bring its first price along', async () => {
    const product = await stripe.products.create({ id: 'gold', name: 'Gold', default_price_data: { currency: 'usd', unit_amount: 900 } });
    const expanded = await stripe.products.retrieve('gold', { expand: ['default_price'] });
    expect(expanded.default_price).toMatchObject({ product: 'gold', unit_amount: 900 });
    expect(await errorOf(stripe.products.create({ id: product.id, name: 'Again' }))).toMatchObject({ code: 'resource_already_exists' });
  });

  it('cannot be deleted while it has prices', async () => {
    const price = await stripe.prices.create({ currency: 'usd', unit_amount: 100, product_data: { name: 'Tea' } });
    expect((await errorOf(stripe.products.del(price.product as string))).message).toContain('user-created prices');
  });
});

describe('A price', () => {
  it('is made for a product, changed and listed', async () => {
    const { id: product } = await stripe.products.create({ name: 'Tea' });
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1500,
      product,
      recurring: { interval: 'month' },
      nickname: 'm',
    });
    expect(price).toMatchObject({
      type: 'recurring',
      billing_scheme: 'per_unit',
      recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed', meter: null },
    });
    expect(String(price.unit_amount_decimal)).toBe('1500');
    await stripe.prices.create({ currency: 'eur', unit_amount: 10, product });
    expect((await stripe.prices.list({ type: 'recurring', expand: ['data.product'] })).data).toMatchObject([
      { id: price.id, product: { name: 'Tea' } },
    ]);
    expect((await stripe.prices.list({ recurring: { interval: 'year' } })).data).toEqual([]);
    await stripe.prices.update(price.id, { active: false });
    expect((await stripe.prices.list({ product })).data).toHaveLength(1);
    expect((await stripe.prices.list({ product, active: false })).data).toMatchObject([{ id: price.id }]);
    expect(eventTypes()).toEqual(['product.created', 'price.created', 'plan.created', 'price.created', 'price.updated']);
  });

  it('may have decimals of a minor unit', async () => {
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount_decimal: '0.25' as unknown as Stripe.Decimal,
      product_data: { name: 'Call' },
    });
    expect(price.unit_amount).toBeNull();
    expect(String(price.unit_amount_decimal)).toBe('0.25');
  });

  it('shows its tiers only when asked', async () => {
    const price = await stripe.prices.create({
      currency: 'usd',
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 10, unit_amount: 100 },
        { up_to: 'inf', unit_amount: 50, flat_amount: 200 },
      ],
      recurring: { interval: 'month' },
      product_data: { name: 'Seats' },
    });
    expect(price).toMatchObject({ unit_amount: null, tiers_mode: 'graduated' });
    expect(price.tiers).toBeUndefined();
    const { tiers } = await stripe.prices.retrieve(price.id, { expand: ['tiers'] });
    expect(tiers).toMatchObject([
      { up_to: 10, unit_amount: 100, flat_amount: null },
      { up_to: null, unit_amount: 50, flat_amount: 200 },
    ]);
  });

  it('holds its lookup key alone, until it is transferred', async () => {
    const make = (more: object = {}) =>
      stripe.prices.create({ currency: 'usd', unit_amount: 5, product_data: { name: 'x' }, lookup_key: 'std', ...more });
    const first = await make();
    expect(await errorOf(make())).toMatchObject({ statusCode: 400, param: 'lookup_key' });
    const second = await make({ transfer_lookup_key: true });
    expect((await stripe.prices.list({ lookup_keys: ['std'] })).data.map(({ id }) => id)).toEqual([second.id]);
    expect((await stripe.prices.retrieve(first.id)).lookup_key).toBeNull();
  });

  it.each([
    ['without an amount', { currency: 'usd', product_data: { name: 'x' } }, 'unit_amount'],
    ['below nothing', { currency: 'usd', unit_amount: -1, product_data: { name: 'x' } }, 'unit_amount'],
    ['without a product', { currency: 'usd', unit_amount: 1 }, 'product'],
    ['of a missing product', { currency: 'usd', unit_amount: 1, product: 'prod_x' }, 'product'],
    ['of two products', { currency: 'usd', unit_amount: 1, product: 'prod_x', product_data: { name: 'x' } }, 'product_data'],
    ['in no currency', { currency: 'zzz', unit_amount: 1, product_data: { name: 'x' } }, 'currency'],
    [
      'metered without a meter',
      { currency: 'usd', unit_amount: 1, product_data: { name: 'x' }, recurring: { interval: 'month', usage_type: 'metered' } },
      'recurring[meter]',
    ],
    [
      'that recurs too seldom',
      { currency: 'usd', unit_amount: 1, product_data: { name: 'x' }, recurring: { interval: 'year', interval_count: 4 } },
      'recurring[interval_count]',
    ],
    [
      'with a custom amount (not here)',
      { currency: 'usd', custom_unit_amount: { enabled: true }, product_data: { name: 'x' } },
      'custom_unit_amount',
    ],
  ])('is refused %s', async (_, params, param) => {
    expect(await errorOf(stripe.prices.create(params as Stripe.PriceCreateParams))).toMatchObject({ statusCode: 400, param });
  });
});
