import { type ActiveFault, type FaultSpec } from './fault.js';
import { type FaultBox } from './fault-box.js';

const DEFAULT_OUTAGE_MS = 1_000;
const COUNTED = ['route', 'nth', 'times', 'probability'] as const;

/**
 * Puts a fault in force. `refuse` without anything that counts or chooses requests is an outage of the whole listener: `refuse` closes
 * it for a time in milliseconds, and nothing is left to count.
 */
export function armFault(faults: FaultBox, spec: FaultSpec, refuse: (durationMs: number) => void): ActiveFault {
  if (spec.fault !== 'refuse' || COUNTED.some((name) => spec[name] !== undefined)) return faults.add(spec);
  refuse(spec.duration_ms ?? DEFAULT_OUTAGE_MS);
  return { id: 'outage', ...spec, matched: 0, hits: 0, spent: false };
}
