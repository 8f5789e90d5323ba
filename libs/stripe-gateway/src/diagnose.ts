import { type StripeCheckResult, STRIPE_CHECK_RESULTS } from '@tidegate/contracts/ops/stripe-check';
import { API_VERSION } from './adapter.js';
import { type Probed } from './probe.js';

export interface Diagnosis {
  /** The worst of the findings, or `connected`. */
  result: StripeCheckResult;
  findings: Finding[];
  account: string | null;
  answeredVersion: string | null;
  clockSkewSeconds: number | null;
  requestId: string | null;
}

export interface Finding {
  result: StripeCheckResult;
  detail: string;
}

/** A fifth of the 300 s within which the signature of a delivery counts. The Date header has whole seconds. */
export const TOLERATED_SKEW_SECONDS = 60;

/** What a probe says about the way to Stripe, the key, the version and the clocks. */
export function diagnose(probed: Probed): Diagnosis {
  if (probed.kind === 'no_answer')
    return { ...nothing, ...ranked([{ result: resultOf(probed), detail: `${probed.message}${probed.code ? ` (${probed.code})` : ''}` }]) };
  const body = parsed(probed.body);
  const answeredVersion = text(probed.headers['stripe-version']);
  const skew = skewOf(probed);
  const refusal = refusalOf(probed.status, body);
  const findings = [
    ...(refusal ? [refusal] : []),
    ...(answeredVersion !== null && answeredVersion !== API_VERSION && refusal?.result !== 'api_version_mismatch'
      ? [
          {
            result: 'api_version_mismatch' as const,
            detail: `Stripe answered in ${answeredVersion}, and everything here is written for ${API_VERSION}`,
          },
        ]
      : []),
    ...(skew !== null && Math.abs(skew) > TOLERATED_SKEW_SECONDS
      ? [
          {
            result: 'clock_skew' as const,
            detail: `our clock is ${Math.abs(Math.round(skew))} s ${skew > 0 ? 'behind' : 'ahead of'} Stripe's; signatures count for 300 s`,
          },
        ]
      : []),
  ];
  return {
    ...ranked(findings),
    account: body?.object === 'account' ? (body.id ?? null) : null,
    answeredVersion,
    clockSkewSeconds: skew,
    requestId: text(probed.headers['request-id']),
  };
}

const nothing = { account: null, answeredVersion: null, clockSkewSeconds: null, requestId: null };

function ranked(findings: Finding[]): Pick<Diagnosis, 'result' | 'findings'> {
  const sorted = [...findings].sort((a, b) => STRIPE_CHECK_RESULTS.indexOf(a.result) - STRIPE_CHECK_RESULTS.indexOf(b.result));
  return { result: sorted[0]?.result ?? 'connected', findings: sorted };
}

function resultOf({ phase, timedOut }: Extract<Probed, { kind: 'no_answer' }>): StripeCheckResult {
  if (timedOut) return 'timeout';
  return phase === 'answer' ? 'connection_lost' : phase;
}

interface Body {
  id?: string;
  object?: string;
  error?: { type?: string; code?: string; message?: string };
}

/** Sources: https://docs.stripe.com/api/errors, https://docs.stripe.com/api/versioning. */
function refusalOf(status: number, body: Body | null): Finding | null {
  const said = [body?.error?.code, body?.error?.message].filter((one) => one !== undefined).join(': ') || `status ${status}`;
  if (body === null)
    return { result: status >= 500 ? 'stripe_error' : 'bad_answer', detail: `status ${status} without JSON: this may not be Stripe` };
  if (status === 401) return { result: 'auth_error', detail: said };
  if (status === 403) return { result: 'forbidden', detail: said };
  if (status === 429) return { result: 'rate_limited', detail: said };
  if (status >= 500) return { result: 'stripe_error', detail: said };
  if (status === 400 && /invalid stripe api version/i.test(body.error?.message ?? ''))
    return { result: 'api_version_mismatch', detail: said };
  return status === 200 && body.object === 'account' ? null : { result: 'bad_answer', detail: said };
}

/** Stripe's Date was written between the sending and the coming of the answer; half a second is what it cuts off on average. */
function skewOf({ headers, sentAt, answeredAt }: Extract<Probed, { kind: 'answer' }>): number | null {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? null : Math.round((date + 500 - (sentAt + answeredAt) / 2) / 100) / 10;
}

function parsed(text: string): Body | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Body) : null;
  } catch {
    return null;
  }
}

const text = (header: string | string[] | undefined): string | null => [header ?? []].flat()[0] ?? null;
