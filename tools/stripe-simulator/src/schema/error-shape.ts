import { type Fields, type SchemaNode } from './node.js';
import { schema } from './schema.js';
import { checkNode } from './shape.js';

/**
 * Codes that the API description does not list: of https://docs.stripe.com/error-codes, of v2, and of what is wrong with a meter event
 * (https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api).
 */
const BESIDE = [
  ...['payment_method_types_no_longer_supported', 'subscription_payment_intent_requires_action', 'not_found', 'invalid_fields'],
  ...['archived_meter', 'no_meter', 'meter_event_invalid_value', 'meter_event_value_not_found', 'meter_event_no_customer_defined'],
  ...['timestamp_too_far_in_past', 'timestamp_in_future'],
];

/**
 * Compares an error answer, `{error: {…}}`, with the API description: `error` has the schema of `last_payment_error` (`api_errors`),
 * and a message. Gives one line per fault, none when all is well.
 */
export function errorFaults(value: unknown): string[] {
  const { error, ...rest } = (value ?? {}) as { error?: unknown };
  const extra = Object.keys(rest).map((name) => `error answer.${name}: not in the description`);
  if (error === undefined) return [...extra, 'error answer.error: missing'];
  return [...extra, ...checkNode(error, ERROR, 'error')];
}

function errorNode(): SchemaNode {
  const fields = schema.objects['payment_intent']?.['last_payment_error']?.fields;
  if (fields?.['code'] === undefined) throw new Error('Bug: the API description has no shape of errors');
  const described: Fields = {
    ...fields,
    code: { ...fields['code'], enum: [...(fields['code'].enum ?? []), ...BESIDE] },
    message: { t: 'string' },
  };
  return { t: 'object', fields: described };
}

const ERROR = errorNode();
