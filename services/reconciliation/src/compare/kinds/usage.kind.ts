import type { ObjectKind } from '../kind.js';
import { compareUsage, counterOf, remoteUsage, type RemoteUsage } from '../usage.decide.js';

/**
 * Hours of usage, counter beside summary. Payments does it page by page; what comes is only what differs, and neither news nor the inbox have a part in it. Not in the
 * rolling compare: Stripe's summaries follow the reports within the hour.
 */
export const usageKind: ObjectKind<RemoteUsage, never> = {
  name: 'usage_hour',
  isWanted: ({ trigger, classes }) => trigger !== 'rolling' && (classes === null || classes.includes('usage_mismatch')),
  remote: {
    async list(_, { created }, { usage, tenant, ofTheDay, cursor, ...pass }) {
      const page = await usage.page({ tenant, period: created, cursor, unconfirmedToo: ofTheDay }, pass);
      if (page.kind !== 'ok') return page;
      const { compared, differences, next_cursor } = page.value;
      const of = { data: differences.map(remoteUsage), has_more: next_cursor !== null };
      return { ...page, value: { ...of, ours: { cursor: next_cursor, objects: compared } } };
    },
    async retrieve(_, id, { usage, ...pass }) {
      const found = await usage.hour(counterOf(id), pass);
      if (found.kind !== 'ok') return found;
      return found.value === null
        ? { kind: 'not_found', param: null, message: 'both agree' }
        : { ...found, value: remoteUsage(found.value) };
    },
    recordedFor: async () => new Map<string, never>(),
    compare: (_, remote) => compareUsage(remote),
    isOf: () => false,
    countsForeign: false,
  },
};
