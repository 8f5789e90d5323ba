import { type Comparison, differs } from './finding.js';
import type { Remote } from './kind.js';
import type { UsageDifference } from './usage.port.js';

/** An hour of which Stripe counts something else, by the name that rows have for it. */
export interface RemoteUsage extends Remote {
  difference: UsageDifference;
}

const HOUR = 13;

/** What identifies an hour of usage in rows: `cus_…/meter/2026-11-21T06`. */
export const usageId = ({ customer, meter, hour }: Pick<UsageDifference, 'customer' | 'meter' | 'hour'>): string =>
  `${customer}/${meter}/${hour.slice(0, HOUR)}`;

/** The same read back; a meter's name may have any characters. */
export function counterOf(id: string): { customer: string; meter: string; hour: string } {
  const [, customer, meter, hour] = /^([^/]*)\/(.*)\/([^/]*)$/s.exec(id) ?? [];
  if (customer === undefined || meter === undefined || hour === undefined) throw new Error(`Bug: "${id}" is no hour of usage`);
  return { customer, meter, hour: `${hour}:00:00.000Z` };
}

export const remoteUsage = (difference: UsageDifference): RemoteUsage => ({
  id: usageId(difference),
  created: Math.floor(Date.parse(difference.hour) / 1000),
  metadata: { tenant_id: difference.tenant },
  difference,
});

const NOTES: Readonly<Record<string, string>> = {
  expired: ', some of it too old for Stripe',
  not_ours: ' reported here',
};

/** Payments has compared it already. */
export function compareUsage({ id, difference }: RemoteUsage): Comparison {
  const { local, remote, reason, repairable } = difference;
  return differs({
    class: 'usage_mismatch',
    object: 'usage_hour',
    local_id: reason === 'not_ours' ? null : id,
    payment_id: null,
    stripe_id: id,
    intent: null,
    local: `${local}${NOTES[reason] ?? ''}`,
    remote,
    ...(repairable ? {} : { beyond_repair: true as const }),
  });
}
