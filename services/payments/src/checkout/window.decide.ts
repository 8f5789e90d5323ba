/** Stripe takes an `expires_at` of 30 minutes to 24 hours from now; both ends with room for clocks that differ and for a call that is repeated. Seconds. */
const SHORTEST = 45 * 60;
const LONGEST = 24 * 3600 - 120;
/** A call that is sent later than this before the end of what it asks for would be refused. */
const LEAST = 31 * 60;

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

/** The `expires_at` to send: the end of the window, as near to it as Stripe's range allows. What it leaves over, the sweep closes. Epoch seconds. */
export function expiresAtFor(windowEndsAt: string, now: Date): number {
  const wanted = Math.ceil(Date.parse(windowEndsAt) / 1000);
  return Math.min(Math.max(wanted, seconds(now) + SHORTEST), seconds(now) + LONGEST);
}

/** Whether Stripe would still take this `expires_at`. */
export const isSendable = (expiresAt: number, now: Date): boolean => expiresAt - seconds(now) >= LEAST;

export const isOver = (windowEndsAt: string, now: Date): boolean => Date.parse(windowEndsAt) <= now.getTime();

/** The furthest end that a window can be given now. */
export const furthest = (now: Date): Date => new Date(now.getTime() + 24 * 3_600_000);
