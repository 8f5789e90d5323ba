import { RESERVED_METADATA_KEYS } from '@tidegate/contracts/requests';
import { withoutMailAddresses } from '@tidegate/telemetry/mail-address';

/** Reads fields of a Stripe object that may be anything: what is not of the wanted form is null. */
export type Json = Record<string, unknown>;

export const record = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;

export const integer = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null);

export const text = (value: unknown): string | null => (typeof value === 'string' ? storable(value) : null);

export const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);

/** An id, or the id of the expanded object in its place. */
export const idOf = (value: unknown): string | null => text(value) ?? text(record(value)?.['id']);

/** The objects of an array, or of Stripe's list envelope. */
export function recordsOf(value: unknown): Json[] {
  const items = Array.isArray(value) ? value : record(value)?.['data'];
  return Array.isArray(items) ? items.map((one) => record(one) ?? {}) : [];
}

/** Our ids and nothing else: what others write on an object may be about a person, and events are never erased. */
export function metadataOf(value: unknown): Record<string, string> {
  const written = record(value) ?? {};
  return Object.fromEntries(
    RESERVED_METADATA_KEYS.flatMap((key) => {
      const own = Object.hasOwn(written, key) ? text(written[key]) : null;
      return own === null ? [] : [[key, own] as const];
    }),
  );
}

/** Stripe's words, without the mail address that they may quote. */
export const words = (value: unknown): string => withoutMailAddresses(text(value) ?? '');

/** Postgres stores neither NUL nor lone surrogates in jsonb. */
const storable = (value: string): string => value.replaceAll('\u0000', '').toWellFormed();
