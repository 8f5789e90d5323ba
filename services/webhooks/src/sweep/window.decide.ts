/** A half-open range of Stripe's `created`, in whole unix seconds: `gte` <= created < `lt`. */
export interface SweepWindow {
  gte: number;
  lt: number;
}

export interface SweepPlan {
  /** Everything before this was read completely by an earlier sweep. */
  sweptUntil: Date;
  now: Date;
  /** How far each sweep looks back behind `sweptUntil`: Stripe's lists may show an event late. */
  overlapSeconds: number;
  /** Longest range for one pass over the pages, so that a long absence makes progress piece by piece. */
  chunkSeconds: number;
}

/** Stripe lists events of the last 30 days; a margin keeps the request inside. Source: https://docs.stripe.com/api/events */
export const LISTED_SECONDS = 30 * 86_400 - 3600;
export const CHUNK_SECONDS = 3600;

/** The windows to read, oldest first; each may be recorded as swept when its last page is stored. They cover up to and including `now`. */
export function sweepWindows({ sweptUntil, now, overlapSeconds, chunkSeconds }: SweepPlan): SweepWindow[] {
  const end = endOf(now);
  const windows: SweepWindow[] = [];
  let gte = Math.max(oldestListed(now), Math.floor(sweptUntil.getTime() / 1000) - overlapSeconds);
  while (gte < end) {
    const lt = Math.min(end, gte + chunkSeconds);
    windows.push({ gte, lt });
    gte = lt;
  }
  return windows;
}

/** Seconds after `sweptUntil` that no sweep at `now` can read any more. */
export const unlistedSeconds = (sweptUntil: Date, now: Date): number =>
  Math.max(0, oldestListed(now) - Math.floor(sweptUntil.getTime() / 1000));

/** From here on Stripe lists everything. */
export const listedSince = (now: Date): Date => new Date(oldestListed(now) * 1000);

const endOf = (now: Date): number => Math.floor(now.getTime() / 1000) + 1;
const oldestListed = (now: Date): number => endOf(now) - LISTED_SECONDS;
