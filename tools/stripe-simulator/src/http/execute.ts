import { type FaultSpec } from '../faults/fault.js';
import { type KeyRecord } from '../idempotency/idempotency-keys.js';
import { type Params, readParams } from '../schema/params.js';
import { shownLines } from '../invoices/first-lines.js';
import { type World } from '../world.js';
import { type Call, type Cause } from './call.js';
import { StripeError, invalidParam } from './errors.js';
import { type Expander, expand, expansionOf } from './expand.js';
import { type FormMap } from './form.js';
import { type Found } from './router.js';
import { modernParams } from './version-words.js';
import { fieldsFor } from './version.js';

export interface Execution {
  readonly found: Found;
  readonly form: FormMap;
  readonly cause: Cause;
  readonly apiVersion: string;
  /** The claimed idempotency key, when there is one. */
  readonly key: KeyRecord | undefined;
  readonly fault: FaultSpec | undefined;
}

export interface Outcome {
  readonly status: number;
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether execution began, so that an idempotency key keeps the answer. */
  readonly stored: boolean;
}

/**
 * Validates and runs one operation, synchronously. The faults that fail inside execution are applied here, because their
 * place between effect and answer is their meaning.
 */
export function execute(world: World, expander: Expander, execution: Execution): Outcome {
  const { found, form, cause, apiVersion, fault } = execution;
  try {
    const { operation } = found.route;
    const params = modernParams(apiVersion, operation, readParams(form, fieldsFor(operation, found.fields, form, apiVersion)));
    refuseUnsupported(found.route.unsupported, params);
    const expansion = expansionOf(params['expand'] as string[] | undefined, found.route.returns);
    if (fault?.fault === 'error_500_before') throw internalError(fault);
    const lag = fault?.fault === 'list_lag' ? { insertedBeforeMs: Date.now() - (fault.ms ?? 5_000) } : {};
    const call: Call = { cause, id: found.id, params, apiVersion, ...lag };
    if (fault?.fault === 'error_500_late') {
      world.lateWork.plan(fault.ms ?? 1_000, () => rollForward(() => found.route.handle(world, call)));
      throw internalError(fault);
    }
    const value = shownLines(found.route.handle(world, call)) as object;
    if (fault?.fault === 'error_500_after') throw internalError(fault);
    return { status: 200, value: expansion === undefined ? value : expand(value, expansion, expander), headers: {}, stored: true };
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    if (fault?.fault === 'error_500_after' && error.stored && error.status < 500) return failed(internalError(fault));
    return failed(error);
  }
}

function refuseUnsupported(unsupported: readonly string[] = [], params: Params): void {
  const name = unsupported.find((one) => params[one] !== undefined);
  if (name !== undefined) throw invalidParam(`This simulator does not support the parameter ${name} here (Stripe does).`, name);
}

/** Stripe answered 500 and finishes the work on its own, unless something has made it impossible by now. */
function rollForward(handle: () => void): void {
  try {
    handle();
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
  }
}

/** Something broke at Stripe's end. The answer is kept under the idempotency key. */
function internalError(fault: FaultSpec): StripeError {
  const headers: Record<string, string> = fault.should_retry === undefined ? {} : { 'Stripe-Should-Retry': String(fault.should_retry) };
  return new StripeError(500, { type: 'api_error', message: 'An unknown error occurred' }, true, headers);
}

export function failed(error: StripeError): Outcome {
  return { status: error.status, value: { error: error.body }, headers: error.headers, stored: error.stored };
}
