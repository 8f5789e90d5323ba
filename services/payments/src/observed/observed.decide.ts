import canonicalize from 'canonicalize';

/** What Stripe showed of an object whose states come and go. */
export interface Seen<S> {
  object: S;
  tenant: string;
  livemode: boolean;
  /** When the request began that showed it, on our clock; of what a delivery shows, when it was made. */
  at: Date;
  /** False: rendered for a delivery, so that another look is due. */
  asked: boolean;
  /** True: the request began after everything that is recorded was known, so that it is newer whatever the clocks say. */
  after: boolean;
}

/** The newest look at an object: the data of each event of its stream, which says all there is. Times in RFC 3339. */
export interface Observed<S> {
  object: S;
  tenant: string;
  livemode: boolean;
  seen_at: string;
  changed_at: string;
  status_since: string;
  /** Facts that were published of it so far. */
  published: number;
}

/** What a kind of object has to say about itself. */
export interface ObservedRules<S, F extends string> {
  statusOf(object: S): string;
  /** Whether an object in this status stays as it is for ever. */
  isFinal(status: string): boolean;
  /** What others are told of a difference, in order; `before` null: it was not known. */
  factsOf(before: S | null, after: S): F[];
}

/** `record` null: it says nothing new. `ask`: Stripe should be asked again, because this look cannot be told to be the newest. */
export interface Meaning<S, F> {
  record: { observed: Observed<S>; facts: F[] } | null;
  ask: boolean;
}

/** Clocks of two services may differ by this: a look that seems older and shows something else may be the newer one. */
const SKEW_MS = 300_000;

/**
 * What a look at Stripe adds to what is known. The newest wins; by whose clock, two services cannot always say, so one that seems a little older and shows
 * something else is asked for again. So is one that leads out of a final status, unless it is newer for sure, and any that differs from what was seen by a clock that went
 * ahead of `now`: what is true would else count for nothing until that time has come.
 */
export function decideObserved<S, F extends string>(
  rules: ObservedRules<S, F>,
  before: Observed<S> | null,
  { object, tenant, livemode, at, asked, after }: Seen<S>,
  now: Date,
): Meaning<S, F> {
  const seenAt = before && after ? new Date(Math.max(at.getTime(), Date.parse(before.seen_at) + 1)) : at;
  const seen_at = seenAt.toISOString();
  if (before === null) {
    const facts = rules.factsOf(null, object);
    const observed = { object, tenant, livemode, seen_at, changed_at: seen_at, status_since: seen_at, published: facts.length };
    return { record: { observed, facts }, ask: !asked };
  }
  const changed = canonicalize(before.object) !== canonicalize(object);
  const older = Date.parse(before.seen_at) - seenAt.getTime();
  const comparable = Date.parse(before.seen_at) <= now.getTime();
  if (older >= 0) return { record: null, ask: changed && older > 0 && (older < SKEW_MS || !comparable) };
  const [from, to] = [rules.statusOf(before.object), rules.statusOf(object)];
  if (!after && from !== to && rules.isFinal(from)) return { record: null, ask: true };
  const facts = changed ? rules.factsOf(before.object, object) : [];
  const observed = {
    object,
    // A known object keeps its tenant.
    tenant: before.tenant,
    livemode,
    seen_at,
    changed_at: changed ? seen_at : before.changed_at,
    status_since: from === to ? before.status_since : seen_at,
    published: before.published + facts.length,
  };
  return { record: { observed, facts }, ask: !asked };
}
