/**
 * What an event says that is, or may be, about a person does not stand in the stream, which is never changed, but beside it, where it can be erased: what a
 * tenant wrote on a payment or a checkout, and the address of a page, which shows whom it was made for.
 */
export interface EventDetails {
  metadata?: Record<string, string>;
  url?: string;
}

interface Parts {
  terms?: { metadata?: Record<string, string> };
  url?: string | null;
}

/** What goes into the stream, and what stands beside it; null when there is nothing. */
export function split(data: object): { kept: object; beside: EventDetails | null } {
  const { terms, url } = data as Parts;
  if (terms?.metadata && Object.keys(terms.metadata).length > 0) {
    const { metadata, ...rest } = terms;
    return { kept: { ...data, terms: rest }, beside: { metadata } };
  }
  if (typeof url === 'string') {
    const { url: _, ...rest } = data as Parts;
    return { kept: rest, beside: { url } };
  }
  return { kept: data, beside: null };
}

/** Whether something stands, or stood, beside an event. Only what opens a page has an address. */
export const isSplit = (type: string, data: object): boolean =>
  type === 'SessionOpened' ? !('url' in data) : 'terms' in data && !('metadata' in (data as { terms: object }).terms);

/** The event as it was decided; without what was erased. */
export function joined(type: string, data: object, beside: EventDetails): object {
  if (!isSplit(type, data)) return data;
  if (type === 'SessionOpened') return { ...data, url: beside.url ?? null };
  return { ...data, terms: { ...(data as Parts).terms, metadata: beside.metadata ?? {} } };
}
