import { type AdoptionRules } from '../stripe-events/adopt.js';

/** Under UNMARKED_INTENTS=foreign, what names no tenant of ours is somebody else's. Of an invoice, the subscription that it bills speaks for it. */
export const isUnmarked = ({ metadata }: { metadata: Record<string, string> }, { unmarked }: Pick<AdoptionRules, 'unmarked'>): boolean =>
  unmarked === 'foreign' && !metadata['tenant_id'];
