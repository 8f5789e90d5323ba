import { type Fields } from '../schema/node.js';
import { invalidParam } from './errors.js';
import { type FormMap } from './form.js';

const ENDIVE = '2026-09-30';

/** From endive on intents take no `payment_method_types`; before, they do. */
const TYPES_NOT_WRITABLE =
  /^POST \/v1\/(payment_intents|payment_intents\/\{id\}|payment_intents\/\{id\}\/confirm|setup_intents.*|checkout\/sessions)$/;
const PAYMENT_METHOD_TYPES: Fields = { payment_method_types: { t: 'array', items: { t: 'string' }, opt: true } };

/** Refuses malformed versions. */
export function checkedVersion(header: string | undefined, accountDefault: string): string {
  if (header === undefined || header === '') return accountDefault;
  if (/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(header)) return header;
  throw invalidParam(`Invalid Stripe API version: ${header.slice(0, 60)}`);
}

/** The parameters of an operation in the caller's version. */
export function fieldsFor(operation: string, fields: Fields, form: FormMap, version: string): Fields {
  if (form['payment_method_types'] === undefined || !TYPES_NOT_WRITABLE.test(operation)) return fields;
  if (version.slice(0, 10) < ENDIVE) return { ...fields, ...PAYMENT_METHOD_TYPES };
  throw invalidParam(
    'The parameter payment_method_types is no longer supported. Use allowed_payment_method_types, excluded_payment_method_types, automatic_payment_methods or payment_method_configuration instead.',
    'payment_method_types',
    'payment_method_types_no_longer_supported',
  );
}
