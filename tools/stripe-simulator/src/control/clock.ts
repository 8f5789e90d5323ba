import { advanceClock } from '../clock/advance.js';
import { type World } from '../world.js';
import { type ControlAnswer, type ControlRequest } from './control.js';

/** Thirty years: dates stay dates, and the renewals on the way stay few. */
const LONGEST_SECONDS = 1e9;
/** All advances together: three thousand years, well inside of what a date can hold. */
const FARTHEST_SECONDS = 1e11;

/** `GET /__clock` tells the virtual time; `POST {advance_seconds}` moves it forward and runs what became due. */
export function clockControl(world: World, { method, body }: ControlRequest): ControlAnswer {
  if (method === 'POST') {
    const seconds = (body as { advance_seconds?: unknown } | undefined)?.advance_seconds;
    if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0 || seconds > LONGEST_SECONDS) {
      return { status: 400, value: { error: '`advance_seconds` must be a number from 0 to a thousand million.' } };
    }
    if (world.clock.offsetSeconds() + seconds > FARTHEST_SECONDS)
      return { status: 400, value: { error: 'The clock is as far in the future as dates go; reset it.' } };
    advanceClock(world, seconds);
  }
  return { status: 200, value: { now: new Date(world.clock.nowMs()).toISOString(), offset_seconds: world.clock.offsetSeconds() } };
}
