const FIRST_PAUSE_SECONDS = 60;
const LONGEST_PAUSE_SECONDS = 3600;

/** When a payment is asked about again that was asked about `asked` times: after a minute, doubling, at most an hour. */
export const nextLookUp = (asked: number, now: Date): Date =>
  new Date(now.getTime() + Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** Math.min(asked, 10)) * 1000);
