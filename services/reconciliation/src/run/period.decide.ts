const DAY_SECONDS = 86_400;

/** Unix seconds, `gte` <= t < `lt`. */
export interface Period {
  gte: number;
  lt: number;
}

/** The days from `startDate` to `endDate`, both included, in UTC. Dates as YYYY-MM-DD. */
export function periodOf(startDate: string, endDate: string): Period {
  return { gte: Math.max(0, secondsOf(startDate)), lt: Math.max(0, secondsOf(endDate) + DAY_SECONDS) };
}

/** Without what was made after `until`, in Stripe's whole seconds. */
export const cutAt = ({ gte, lt }: Period, until: Date): Period => ({
  gte,
  lt: Math.max(gte, Math.min(lt, Math.floor(until.getTime() / 1000) + 1)),
});

const secondsOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 1000;
