import { refused } from '../http/errors.js';
import { type Params } from '../schema/params.js';
import { type PaymentMethod } from './payment-method.js';

interface Purpose {
  /** Of a payment; undefined for a setup. */
  readonly currency?: string;
  readonly captureMethod?: string;
  /** Whether Stripe picks the types (`automatic_payment_methods`). */
  readonly automatic: boolean;
}

/** The currency that a method can only be used with. */
const CURRENCY: Readonly<Record<string, string>> = { us_bank_account: 'usd', sepa_debit: 'eur' };
const ALL = ['card', ...Object.keys(CURRENCY)];

/**
 * The payment method types of an intent: what the caller chose (before endive), else cards, and with automatic payment methods the
 * bank debits that fit the currency and need no manual capture. The allowed and excluded types filter silently.
 */
export function allowedTypes(params: Params, { currency, captureMethod, automatic }: Purpose): readonly string[] {
  const chosen = params['payment_method_types'] as string[] | undefined;
  if (chosen !== undefined) return chosen;
  const allowed = params['allowed_payment_method_types'] as string[] | null | undefined;
  const excluded = params['excluded_payment_method_types'] as string[] | null | undefined;
  if (!automatic && !allowed) return CARD_ONLY;
  const fitting = ALL.filter(
    (type) => type === 'card' || (captureMethod !== 'manual' && (currency === undefined || currency === CURRENCY[type])),
  );
  return shared(fitting.filter((type) => (allowed ? allowed.includes(type) : true) && !excluded?.includes(type)));
}

/** Throws 400 for a method of a type that the intent does not take. */
export function mustBeAllowed(method: PaymentMethod, types: readonly string[], noun: string): void {
  if (types.includes(method.type)) return;
  throw refused(
    `The PaymentMethod provided (${method.type}) is not allowed for this ${noun}. Please attach a PaymentMethod of one of the following types: ${types.join(', ')}.`,
    noun === 'PaymentIntent' ? 'payment_intent_incompatible_payment_method' : undefined,
    { param: 'payment_method' },
  );
}

/** Intents with the same types share one list: there may be hundreds of thousands. */
function shared(types: readonly string[]): readonly string[] {
  const key = types.join();
  const known = lists.get(key);
  if (known === undefined) lists.set(key, types);
  return known ?? types;
}

const lists = new Map<string, readonly string[]>();
const CARD_ONLY: readonly string[] = ['card'];
