import { describe, expect, it } from '@jest/globals';
import { CATALOGUE } from '@tidegate/contracts/catalogue';
import { envelopeOf } from '@tidegate/contracts/envelope';
import { Ajv } from 'ajv';
import type { z } from 'zod';
import { asyncApiDocument, exampleOf, type Json } from './document.js';
import { asyncApiPage } from './page.js';

const document = asyncApiDocument(CATALOGUE);

/** Every `$ref` in a value. */
function refs(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refs);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => (key === '$ref' ? [one as string] : refs(one)));
}

const at = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], document);

describe('The AsyncAPI document', () => {
  it('has a channel, a message and a sending operation for every subject of the catalogue, and no other', () => {
    const subjects = CATALOGUE.map(({ subject }) => subject);
    const { channels, operations, components } = document as Record<string, Json>;
    expect(Object.keys(channels!)).toEqual(subjects);
    expect(Object.keys(components!['messages'] as Json)).toEqual(subjects);
    expect(Object.keys(operations!)).toEqual(subjects.map((subject) => `publish.${subject}`));
  });

  it('points only to what is in it', () => {
    const found = [...new Set(refs(document))];
    expect(found.length).toBeGreaterThan(CATALOGUE.length);
    expect(found.filter((reference) => at(reference) === undefined)).toEqual([]);
  });

  it('uses each of its schemas', () => {
    const { schemas } = (document as { components: { schemas: Json } }).components;
    const used = new Set(refs(document));
    expect(Object.keys(schemas).filter((name) => !used.has(`#/components/schemas/${name}`))).toEqual([]);
  });

  it.each(CATALOGUE.map((contract) => [contract.subject, contract] as const))(
    '%s has an example that its schema accepts',
    (subject, contract) => {
      const { components } = document as unknown as {
        components: { messages: Record<string, { payload: Json; examples: [{ payload: unknown }] }> };
      };
      const { payload, examples } = components.messages[subject]!;
      const ajv = new Ajv({ strict: false, validateFormats: false });
      const validate = ajv.compile({ ...payload, components: document['components'] });
      expect([validate(examples[0].payload), validate.errors]).toEqual([true, null]);
      const { data, ...around } = examples[0].payload as { data: Json };
      const [first] = Object.keys(data);
      expect(validate({ ...around, data: Object.fromEntries(Object.entries(data).filter(([name]) => name !== first)) })).toBe(false);
      expect(envelopeOf(contract.data as z.ZodType).parse(exampleOf(contract))).toEqual(exampleOf(contract));
    },
  );

  it('lets fields be added', () => {
    expect(JSON.stringify(document)).not.toContain('"additionalProperties":false');
  });

  it('says who reads a stream', () => {
    expect((document['channels'] as Record<string, Json>)['payments.events.payment.succeeded.v1']).toMatchObject({
      'x-stream': 'PAYMENTS_EVENTS',
      'x-consumers': expect.arrayContaining(['receipts-payments', 'reconciliation-payments']),
    });
  });

  it('has one schema for each kind of Stripe object', () => {
    const { schemas } = (document as { components: { schemas: Json } }).components;
    expect(Object.keys(schemas).filter((name) => name.startsWith('stripe.'))).toEqual([
      'stripe.payment_intent',
      'stripe.charge',
      'stripe.refund',
      'stripe.charge.dispute',
      'stripe.checkout.session',
      'stripe.customer.subscription',
      'stripe.invoice',
      'stripe.payout',
      'stripe.customer',
      'stripe.other',
    ]);
  });
});

describe('The page of all events', () => {
  const page = asyncApiPage(document);

  it('shows every subject with its example, and every link leads somewhere', () => {
    for (const { subject } of CATALOGUE) expect(page).toContain(`<h3><code>${subject}</code></h3>`);
    const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map(([, name]) => name);
    const places = new Set([...page.matchAll(/id="([^"]+)"/g)].map(([, name]) => name));
    expect(anchors.filter((name) => !places.has(name!))).toEqual([]);
    expect(page.match(/<article /g)).toHaveLength(page.match(/<\/article>/g)!.length);
  });

  it('tells a field that may be null or missing from one that may not', () => {
    expect(page).toContain('<code>object.latest_invoice</code></td><td>string <i>or null</i>');
    expect(page).toContain('<code>object.balance_transaction</code><b>?</b>');
    expect(page).toContain('<code>object.items[].price</code>');
  });

  it('shows words as words', () => {
    const [subject, first] = Object.entries(document['channels'] as Record<string, Json>)[0]!;
    const channel = { ...first, description: '<script>alert("&")</script>' };
    const shown = asyncApiPage({ ...document, channels: { [subject]: channel } });
    expect(shown).toContain('&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;');
    expect(shown).not.toContain('<script>');
  });
});
