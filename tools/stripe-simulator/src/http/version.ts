import { type Fields } from '../schema/node.js';
import { schema } from '../schema/schema.js';
import { invalidParam } from './errors.js';
import { type FormMap } from './form.js';

/** First days of the versions whose changes concern what is simulated (docs.stripe.com/changelog). */
export const ASYNC_CAPTURE = '2024-04-10';
export const DAHLIA = '2026-03-25';
export const ENDIVE = '2026-09-30';

export function isBefore(version: string, day: string): boolean {
  return version.slice(0, 10) < day;
}

/** Every version that Stripe ever published, as its API description lists them. */
const KNOWN = new Set(schema.operations['POST /v1/webhook_endpoints']?.['api_version']?.enum);

export function isKnownVersion(version: string): boolean {
  return KNOWN.has(version);
}

/** The version of a request: the header's, else the account's default. Refuses versions that do not exist. */
export function checkedVersion(header: string | undefined, accountDefault: string): string {
  if (header === undefined || header === '') return accountDefault;
  if (KNOWN.has(header)) return header;
  throw invalidParam(`Invalid Stripe API version: ${header.slice(0, 60)}`);
}

/** The parameters of an operation in the caller's version. */
export function fieldsFor(operation: string, fields: Fields, form: FormMap, version: string): Fields {
  const named = operation === 'POST /v1/checkout/sessions' && isBefore(version, DAHLIA) ? { ...fields, ...OLD_UI_MODE } : fields;
  if (form['payment_method_types'] === undefined || !TYPES_NOT_WRITABLE.test(operation)) return named;
  if (isBefore(version, ENDIVE)) return { ...named, ...PAYMENT_METHOD_TYPES };
  throw invalidParam(
    'The parameter payment_method_types is no longer supported. Use allowed_payment_method_types, excluded_payment_method_types, automatic_payment_methods or payment_method_configuration instead.',
    'payment_method_types',
    'payment_method_types_no_longer_supported',
  );
}

/** From endive on these take no `payment_method_types`; before, they do. */
const TYPES_NOT_WRITABLE =
  /^POST \/v1\/(payment_intents|payment_intents\/\{id\}|payment_intents\/\{id\}\/confirm|setup_intents|setup_intents\/\{id\}|checkout\/sessions)$/;
const PAYMENT_METHOD_TYPES: Fields = { payment_method_types: { t: 'array', items: { t: 'string' }, opt: true } };
const OLD_UI_MODE: Fields = { ui_mode: { t: 'enum', enum: ['custom', 'embedded', 'hosted'], opt: true } };
