import { mustExistCustomer } from '../customers/find.js';
import { arrayPage } from '../http/array-page.js';
import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { type ListEnvelope } from '../http/list.js';
import { type World } from '../world.js';
import { meterById } from './find.js';
import { type Meter } from './meter.js';
import { type Span, aggregated, eventsWithin } from './usage.js';

const MINUTE = 60;
const WINDOW_SECONDS = { hour: 3_600, day: 86_400 } as const;
const MOST_WINDOWS = 5_000;

interface Summary {
  readonly id: string;
  readonly object: 'billing.meter_event_summary';
  readonly aggregated_value: number;
  readonly end_time: number;
  readonly livemode: false;
  readonly meter: string;
  readonly start_time: number;
}

/**
 * `GET …/event_summaries`: usage of a customer from `start_time` (inclusive) to `end_time` (exclusive), in all or by hour or day (UTC),
 * newest first. A lagging list does not know of the latest events yet.
 */
export function eventSummaries(world: World, call: Call): ListEnvelope<Summary> {
  const meter = meterById(world, call.id);
  const {
    customer,
    start_time: start,
    end_time: end,
    value_grouping_window: window,
  } = call.params as {
    customer: string;
    start_time: number;
    end_time: number;
    value_grouping_window?: 'hour' | 'day';
  };
  mustExistCustomer(world, customer);
  const step = window === undefined ? MINUTE : WINDOW_SECONDS[window];
  for (const [name, at] of [
    ['start_time', start],
    ['end_time', end],
  ] as const) {
    if (at % step !== 0) throw invalidParam(`${name} must align with ${window ?? 'minute'} boundaries.`, name);
  }
  if (start >= end) throw invalidParam('end_time must be after start_time.', 'end_time');
  const known = knownBefore(world, call);
  const records = eventsWithin(world, meter.id, customer, { start, end }).filter(({ event }) => event.created * 1000 < known);
  const spans = window === undefined ? [{ start, end }] : windows({ start, end }, step);
  const summaries = spans.map((span) =>
    summary(
      meter,
      span,
      records.filter(({ event: { timestamp } }) => timestamp >= span.start && timestamp < span.end),
    ),
  );
  return arrayPage(call, summaries.reverse(), {
    noun: 'billing.meter_event_summary',
    url: `/v1/billing/meters/${meter.id}/event_summaries`,
  });
}

/** Virtual milliseconds up to which a lagging list has caught up. */
function knownBefore(world: World, { insertedBeforeMs }: Call): number {
  return insertedBeforeMs === undefined ? Infinity : insertedBeforeMs + world.clock.offsetSeconds() * 1000;
}

function windows({ start, end }: Span, step: number): Span[] {
  const count = (end - start) / step;
  if (count > MOST_WINDOWS) throw invalidParam(`The range holds more than ${MOST_WINDOWS} windows.`, 'end_time');
  return Array.from({ length: count }, (_, at) => ({ start: start + at * step, end: start + (at + 1) * step }));
}

function summary(meter: Meter, span: Span, records: Parameters<typeof aggregated>[1]): Summary {
  return {
    id: `mtrusg_test_${meter.id.slice(-16)}${span.start}${span.end}`,
    object: 'billing.meter_event_summary',
    aggregated_value: aggregated(meter.default_aggregation.formula, records),
    end_time: span.end,
    livemode: false,
    meter: meter.id,
    start_time: span.start,
  };
}
