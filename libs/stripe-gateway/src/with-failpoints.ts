import { atCall, type Failpoints } from '@tidegate/database/failpoints';
import { around, type StripePort } from './port.js';

/** Each call fires `<name>.before_call` and `<name>.after_call`; `name` is `<service>.<operation>.<step>`. */
export function withFailpoints(port: StripePort, failpoints: Failpoints, name: string): StripePort {
  return around(port, (_, call) => atCall(failpoints, name, call));
}
