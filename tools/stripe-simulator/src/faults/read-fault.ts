import { type FaultName, type FaultSpec, HTTP_FAULTS, LATE_FAULTS, WEBHOOK_FAULTS } from './fault.js';

const NAMES: ReadonlySet<string> = new Set([...HTTP_FAULTS, ...WEBHOOK_FAULTS, ...LATE_FAULTS]);
const FIELDS = [
  'fault',
  'route',
  'event_type',
  'nth',
  'times',
  'probability',
  'seed',
  'ms',
  'duration_ms',
  'copies',
  'reason',
  'should_retry',
];

/** Checks a fault from outside. Gives the fault, or one sentence that names the wrong field. */
export function readFault(input: unknown): FaultSpec | string {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'A fault is a JSON object with at least `fault`.';
  const given = input as Record<string, unknown>;
  const unknown = Object.keys(given).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) return `Unknown field \`${unknown}\`; known are ${FIELDS.join(', ')}.`;
  const { fault } = given;
  if (typeof fault !== 'string' || !NAMES.has(fault)) return `Unknown fault \`${String(fault)}\`; known are ${[...NAMES].join(', ')}.`;
  return (
    numberFault(given, 'nth', 1) ??
    numberFault(given, 'times', 0) ??
    numberFault(given, 'copies', 0) ??
    numberFault(given, 'duration_ms', 0) ??
    numberFault(given, 'ms', Number.MIN_SAFE_INTEGER) ??
    otherFault(given) ??
    ({ ...given, fault: fault as FaultName } as FaultSpec)
  );
}

function numberFault(given: Record<string, unknown>, field: string, least: number): string | undefined {
  const value = given[field];
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return undefined;
  return `\`${field}\` must be a whole number${least === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${least}`}.`;
}

function otherFault(given: Record<string, unknown>): string | undefined {
  const { route, event_type: eventType, probability, seed, reason, should_retry: shouldRetry } = given;
  for (const [field, value] of Object.entries({ route, event_type: eventType, reason })) {
    if (value !== undefined && typeof value !== 'string') return `\`${field}\` must be text.`;
  }
  const aboutEvents = String(given['fault']).match(/^(webhook|event)_/) !== null;
  if (aboutEvents && route !== undefined) return '`route` says nothing about deliveries; use `event_type`.';
  if (!aboutEvents && eventType !== undefined) return '`event_type` is for delivery faults; use `route`.';
  if (probability !== undefined && !(typeof probability === 'number' && probability >= 0 && probability <= 1))
    return '`probability` must be between 0 and 1.';
  if (seed !== undefined && !Number.isSafeInteger(seed)) return '`seed` must be a whole number.';
  if (shouldRetry !== undefined && typeof shouldRetry !== 'boolean') return '`should_retry` must be true or false.';
  return undefined;
}
