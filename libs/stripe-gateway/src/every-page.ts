import { type StripeFailure, type ListQuery, type Page, type StripeOutcome } from './port.js';

/** All pages of a list, or why one could not be read: absence is certain only when every page was. */
export async function everyPage<T extends { id: string }, Q extends object>(
  list: (query: NoInfer<Q> & ListQuery) => Promise<StripeOutcome<Page<T>>>,
  query: Q,
): Promise<{ kind: 'ok'; value: T[] } | StripeFailure> {
  const all: T[] = [];
  for (let after: string | undefined; ;) {
    const page = await list({ ...query, limit: 100, ...(after === undefined ? {} : { starting_after: after }) });
    if (page.kind !== 'ok') return page;
    all.push(...page.value.data);
    after = page.value.data.at(-1)?.id;
    if (!page.value.has_more || after === undefined) return { kind: 'ok', value: all };
  }
}
