import { type Fleet } from './fleet/fleet.js';
import { around, type StripePort } from './port.js';

/** No call starts that the fleet's breakers or its limiter do not allow; how each ended is told to the fleet. Nothing that waits may stand between this and the adapter. */
export function withFleet(port: StripePort, fleet: Pick<Fleet, 'run'>): StripePort {
  return around(port, (operation, call) => fleet.run(operation, call));
}
