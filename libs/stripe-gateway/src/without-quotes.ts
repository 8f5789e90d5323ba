import { RESERVED_METADATA_KEYS } from '@tidegate/contracts/requests';
import { withoutMailAddresses } from '@tidegate/telemetry/mail-address';
import { type StripeOutcome } from './outcome.js';
import { OPERATIONS, type StripePort } from './port.js';

/** Parameters that are, or may be, about a person. */
const PERSONAL: readonly string[] = ['email', 'name', 'description', 'receiptEmail', 'returnUrl', 'successUrl', 'cancelUrl', 'metadata'];

/**
 * Stripe quotes what it refuses ("Invalid email address: …"), and its text goes into log lines, events and stored answers, which outlive the person's erasure.
 * So no text of a failure holds what the request said about a person; who made the request knows it.
 */
export function withoutQuotes(port: StripePort): StripePort {
  const quiet = OPERATIONS.map((operation) => {
    const method = port[operation].bind(port) as (...args: unknown[]) => Promise<StripeOutcome<unknown>>;
    return [operation, async (...args: unknown[]) => unquoted(await method(...args), saidIn(args))];
  });
  return Object.fromEntries(quiet) as StripePort;
}

/** The outcome without these words, and without any mail address, in its text. */
export function unquoted<T>(outcome: StripeOutcome<T>, said: readonly string[]): StripeOutcome<T> {
  return 'message' in outcome ? { ...outcome, message: withoutMailAddresses(without(said, outcome.message)) } : outcome;
}

const MAIL = '[mail address]';

/** Longest first, because one may be part of another; only where a word begins and ends, because one may be part of a word of Stripe's. */
const without = (said: readonly string[], message: string): string =>
  said
    .toSorted((a, b) => b.length - a.length)
    .reduce(
      (text, one) =>
        text.replaceAll(new RegExp(`(?<![\\p{L}\\p{N}])${escaped(one)}(?![\\p{L}\\p{N}])`, 'giu'), one.includes('@') ? MAIL : '[…]'),
      message,
    );

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** The values of personal parameters, wherever they stand. Our ids in metadata are not among them: they tell an operator what the call was about. */
function saidIn(value: unknown, personal = false): string[] {
  if (typeof value === 'string') return personal && value.trim() !== '' ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value).filter(([name]) => !RESERVED.includes(name));
  return entries.flatMap(([name, one]) => saidIn(one, personal || PERSONAL.includes(name)));
}

const RESERVED: readonly string[] = RESERVED_METADATA_KEYS;
