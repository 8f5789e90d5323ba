import { type World } from '../world.js';
import { type ControlAnswer, type ControlRequest } from './control.js';

/** `GET /__clock` tells the virtual time; `POST {advance_seconds}` moves it forward and runs what became due. */
export function clockControl(world: World, { method, body }: ControlRequest): ControlAnswer {
  if (method === 'POST') {
    const seconds = (body as { advance_seconds?: unknown } | undefined)?.advance_seconds;
    if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) {
      return { status: 400, value: { error: '`advance_seconds` must be a number of at least 0.' } };
    }
    world.clock.advance(seconds);
    world.scheduler.runDue();
  }
  return { status: 200, value: { now: new Date(world.clock.nowMs()).toISOString(), offset_seconds: world.clock.offsetSeconds() } };
}
