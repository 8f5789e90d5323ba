import { type Given, control } from '../given.js';
import { type Operation } from './table.js';

/** Lets the virtual clock run. */
export function after(seconds: number): Operation {
  return {
    by: 'stripe',
    run: ({ simulator }) => {
      simulator.advanceClock(seconds);
      return Promise.resolve(undefined);
    },
  };
}

/** An action in the dashboard; `body` gets the object's id. */
export function dashboard(by: 'person' | 'stripe', action: string, body: (id: string) => object): Operation {
  return { by, run: ({ simulator }: Given, id) => control(simulator, 'POST', `/__dashboard/${action}`, body(id)) };
}
