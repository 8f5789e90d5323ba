import { createHash } from 'node:crypto';

/** Stripe takes identifiers of up to 100 characters. */
const LONGEST = 100;

/** Of a report of an hour's sum. */
export const hourIdentifier = (meter: string, customer: string, hour: Date, revision: number): string =>
  fitting(`use:${meter}:${customer}:${hour.toISOString().slice(0, 13)}:${revision}`);

/** Of one event; `tries` counts those that certainly never arrived. */
export const eventIdentifier = (meter: string, customer: string, event: { tenant: string; id: string }, tries: number): string =>
  fitting(`use:${meter}:${customer}:${digest(`${event.tenant} ${event.id}`)}${tries === 0 ? '' : `:${tries}`}`);

const fitting = (identifier: string): string => (identifier.length <= LONGEST ? identifier : `use:${digest(identifier)}`);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
