import type { StripeCheckView } from '@tidegate/contracts/ops/stripe-check';

const ANSWER_MS = 3000;

/**
 * What Stripe's status page says (an Atlassian Statuspage, `/api/v2/status.json`). It lags real outages: context for people, and nothing may act on it. A page
 * that is away or strange is said to be so. Never rejects.
 */
export async function readStatusPage(url: string): Promise<StripeCheckView['status_page']> {
  const unknown = { url, reachable: false, indicator: null, description: null, updated_at: null };
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), headers: { accept: 'application/json' } });
    if (!answer.ok) return { ...unknown, error: `status ${answer.status}` };
    const { page, status } = (await answer.json()) as {
      page?: { updated_at?: string };
      status?: { indicator?: string; description?: string };
    };
    if (typeof status?.indicator !== 'string') return { ...unknown, error: 'the answer is not that of a status page' };
    return {
      url,
      reachable: true,
      indicator: status.indicator,
      description: status.description ?? null,
      updated_at: page?.updated_at ?? null,
      error: null,
    };
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    return { ...unknown, error: name === 'TimeoutError' ? `nothing within ${ANSWER_MS / 1000} s` : (cause?.code ?? message) };
  }
}
