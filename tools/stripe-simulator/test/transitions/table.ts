import { type SimulatorOptions } from '../../src/simulator.js';
import { type Given } from '../given.js';

/** An event: its type, and its exact `previous_attributes` when it has any. */
export type Told = string | readonly [type: string, previous: object];

/**
 * Who causes the events of an operation: an API request, one that takes no idempotency key, a person in the dashboard, or Stripe and
 * the banks by themselves.
 */
export type Causer = 'request' | 'keyless request' | 'person' | 'stripe';

/** One cell: the state afterwards with the exact multiset of events and, for a decline, its code; or a refusal that changes nothing. */
export type Cell<State extends string> =
  | { readonly to: State; readonly events: readonly Told[]; readonly error?: string; readonly status?: number }
  | { readonly refused: string | undefined; readonly status?: number };

export interface Key {
  readonly idempotencyKey: string;
}

export interface Operation {
  readonly by: Causer;
  readonly run: (given: Given, id: string, key: Key) => Promise<unknown>;
}

/** What becomes of one kind of object: every state x every operation. */
export interface Table<State extends string, Name extends string> {
  readonly object: string;
  readonly settings?: SimulatorOptions;
  /** How an object gets into a state (gives its id), and all events that this makes, of the types that `about` names. */
  readonly states: Readonly<Record<State, { readonly into: (given: Given) => Promise<string>; readonly events: readonly string[] }>>;
  readonly about: RegExp;
  readonly status: (given: Given, id: string) => Promise<string | null>;
  readonly operations: Readonly<Record<Name, Operation>>;
  readonly cells: Readonly<Record<Name, Readonly<Record<State, Cell<State>>>>>;
}

/** Goes to a state and tells exactly these events. */
export function to<State extends string>(state: State, ...events: Told[]): Cell<State> {
  return { to: state, events };
}

/** Answers with an error although it changes the state. */
export function fails<State extends string>(error: string, state: State, ...events: Told[]): Cell<State> {
  return { to: state, events, error };
}

/** The same for an error that is no decline: 400. */
export function refuses<State extends string>(error: string, state: State, ...events: Told[]): Cell<State> {
  return { to: state, events, error, status: 400 };
}

/** Is refused with this code, and 400 unless told otherwise, and changes nothing. */
export function no<State extends string>(code?: string, status = 400): Cell<State> {
  return { refused: code, status };
}

/** The same cell for several states. */
export function each<State extends string>(states: readonly State[], cell: (state: State) => Cell<State>): Record<State, Cell<State>> {
  return Object.fromEntries(states.map((state) => [state, cell(state)])) as Record<State, Cell<State>>;
}
