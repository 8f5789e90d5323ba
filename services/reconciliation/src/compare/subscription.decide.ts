import { AGREES, type Comparison, type CompareRules, differs, type Finding, FOREIGN } from './finding.js';

interface Item {
  price: string | null;
  quantity: number | null;
}

/** A subscription as payments recorded it. */
export interface RecordedSubscription {
  subscription_id: string;
  tenant: string;
  status: string;
  items: Item[];
  current_period_end: Date | null;
  cancel_at_period_end: boolean;
  updated_at: Date;
  made_at: Date;
}

/** A subscription as Stripe shows it. Times in epoch seconds. */
export interface RemoteSubscription {
  id: string;
  status: string;
  items: Item[];
  current_period_end: number | null;
  cancel_at_period_end: boolean;
  livemode: boolean;
  metadata: Record<string, string>;
}

/** Compares a subscription with what is recorded of it; `recorded` null when there is nothing. */
export function compareSubscription(recorded: RecordedSubscription | null, remote: RemoteSubscription, rules: CompareRules): Comparison {
  if (remote.livemode !== rules.livemode) return FOREIGN;
  if (recorded === null && rules.unmarked === 'foreign' && remote.metadata['tenant_id'] === undefined) return FOREIGN;
  const end = remote.current_period_end;
  const theirs = wordsOf({ ...remote, current_period_end: end === null ? null : new Date(end * 1000) });
  const local = recorded && wordsOf(recorded);
  return local === theirs ? AGREES : differs({ ...about(remote.id, recorded), local, remote: theirs });
}

/** A subscription that Stripe does not know, neither in its list nor by its id. */
export const compareAbsentSubscription = (recorded: RecordedSubscription): Comparison =>
  differs({ ...about(recorded.subscription_id, recorded), local: wordsOf(recorded), remote: null });

const about = (stripe_id: string, recorded: RecordedSubscription | null): Omit<Finding, 'local' | 'remote'> => ({
  class: 'subscription_mismatch',
  object: 'subscription',
  local_id: recorded && recorded.subscription_id,
  payment_id: null,
  stripe_id,
  intent: null,
});

/** All that has to agree: state, what is subscribed to, period, and whether it ends with that. */
function wordsOf({
  status,
  items,
  current_period_end,
  cancel_at_period_end,
}: Omit<RecordedSubscription, 'subscription_id' | 'tenant' | 'updated_at' | 'made_at'>): string {
  const bought = items.map(({ price, quantity }) => `${quantity === null ? '' : `${quantity} `}${price}`).toSorted();
  const until = current_period_end === null ? '' : ` until ${current_period_end.toISOString()}`;
  return `${status}: ${bought.join(', ')}${until}${cancel_at_period_end ? ', then over' : ''}`;
}
