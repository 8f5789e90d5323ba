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

const secondsOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 1000;
