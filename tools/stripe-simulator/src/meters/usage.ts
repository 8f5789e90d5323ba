import { type World } from '../world.js';
import { type MeterEventRecord } from './meter-event.js';

/** Unix seconds, start inclusive, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Everything that counts for a customer in a span of time. */
export function eventsWithin(world: World, meter: string, customer: string, { start, end }: Span): MeterEventRecord[] {
  return world.meterEvents
    .by('meter', meter)
    .filter(
      (record) => !record.canceled && record.customer === customer && record.event.timestamp >= start && record.event.timestamp < end,
    );
}

/** What a meter makes of the usage of a customer in a span of time: its sum, its count or the last value. */
export function usageWithin(world: World, meterId: string, customer: string, span: Span): number {
  return aggregated(world.meters.get(meterId)?.default_aggregation.formula ?? 'sum', eventsWithin(world, meterId, customer, span));
}

export function aggregated(formula: 'sum' | 'count' | 'last', records: readonly MeterEventRecord[]): number {
  if (formula === 'count') return records.length;
  if (formula === 'sum') return records.reduce((sum, { value }) => sum + value, 0);
  const last = records.reduce<MeterEventRecord | undefined>(
    (latest, record) => (latest === undefined || record.event.timestamp >= latest.event.timestamp ? record : latest),
    undefined,
  );
  return last?.value ?? 0;
}
