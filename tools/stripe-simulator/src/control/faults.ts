import { readFault } from '../faults/read-fault.js';
import { type ControlAnswer, type ControlRequest, type Controls } from './control.js';

const DEFAULT_OUTAGE_MS = 1_000;

/** `POST /__faults` arms one fault, `GET` lists them with counters, `DELETE` clears all. */
export function faultControl(controls: Controls, { method, body }: ControlRequest): ControlAnswer {
  const { faults } = controls.world;
  if (method === 'DELETE') faults.clear();
  if (method === 'POST') {
    const fault = readFault(body);
    if (typeof fault === 'string') return { status: 400, value: { error: fault } };
    const wholeListener =
      fault.fault === 'refuse' && fault.route === undefined && fault.times === undefined && fault.probability === undefined;
    if (wholeListener) {
      controls.refuse(fault.duration_ms ?? DEFAULT_OUTAGE_MS);
      return { status: 200, value: { id: 'outage', ...fault, matched: 0, hits: 0 } };
    }
    return { status: 200, value: faults.add(fault) };
  }
  return { status: 200, value: { faults: faults.list() } };
}
