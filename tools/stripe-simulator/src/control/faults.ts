import { armFault } from '../faults/arm.js';
import { readFault } from '../faults/read-fault.js';
import { type ControlAnswer, type ControlRequest, type Controls } from './control.js';

/** `POST /__faults` arms one fault, `GET` lists them with counters, `DELETE` clears all. */
export function faultControl(controls: Controls, { method, body }: ControlRequest): ControlAnswer {
  const { faults } = controls.world;
  if (method === 'DELETE') faults.clear();
  if (method === 'POST') {
    const fault = readFault(body);
    if (typeof fault === 'string') return { status: 400, value: { error: fault } };
    return { status: 200, value: armFault(faults, fault, controls.refuse) };
  }
  return { status: 200, value: { faults: faults.list() } };
}
