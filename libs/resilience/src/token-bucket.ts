/** A bucket of `capacity` tokens that fills at `perSecond`. Times are epoch milliseconds. */
export interface BucketRules {
  capacity: number;
  perSecond: number;
}

export interface Bucket {
  tokens: number;
  at: number;
}

export const fullBucket = (rules: BucketRules, now: number): Bucket => ({ tokens: rules.capacity, at: now });

export type Draw = { granted: true; bucket: Bucket } | { granted: false; bucket: Bucket; waitMs: number };

/** Takes `count` tokens, or says how long until they are there. Asking for more than the bucket holds is a bug. */
export function take(bucket: Bucket, rules: BucketRules, count: number, now: number): Draw {
  if (count > rules.capacity) throw new RangeError(`Bug: ${count} tokens never fit a bucket of ${rules.capacity}`);
  const filled = refill(bucket, rules, now);
  if (filled.tokens >= count) return { granted: true, bucket: { ...filled, tokens: filled.tokens - count } };
  return { granted: false, bucket: filled, waitMs: Math.ceil(((count - filled.tokens) / rules.perSecond) * 1000) };
}

/** What a 429 teaches: nothing is left for now. */
export const drain = (now: number): Bucket => ({ tokens: 0, at: now });

/** A clock that went backwards adds nothing. */
function refill(bucket: Bucket, rules: BucketRules, now: number): Bucket {
  const elapsed = Math.max(0, now - bucket.at) / 1000;
  return { tokens: Math.min(rules.capacity, bucket.tokens + elapsed * rules.perSecond), at: Math.max(now, bucket.at) };
}
