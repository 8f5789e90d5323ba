import { type Fields } from '../schema/node.js';
import { type World } from '../world.js';
import { type Call } from './call.js';

/** `returns` of the few operations that Stripe's API description leaves out. */
export const UNDESCRIBED = 'undescribed';

/** One supported operation. Its parameters are checked against the API description before `handle` runs. */
export interface Route {
  /** Method and path as the API description names them: `POST /v1/refunds/{id}`. */
  readonly operation: string;
  /** The type of the answer, for `expand`: `charge` or `list<charge>`. */
  readonly returns: string;
  /** Parameters, for operations that the description does not know. */
  readonly fields?: Fields;
  /** Parameters that Stripe has and this simulator has not: refused with a clear message, never ignored. */
  readonly unsupported?: readonly string[];
  readonly handle: (world: World, call: Call) => object;
}
