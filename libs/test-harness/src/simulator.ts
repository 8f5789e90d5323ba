// eslint-disable-next-line @nx/enforce-module-boundaries -- the simulator is a program of its own and, for tests in one process, a library
import { type Simulator, type SimulatorOptions, startSimulator } from '@tidegate/stripe-simulator/simulator';
import { mustBeEnded } from './leaks.js';

/** The Stripe double inside the test's own process, on a free port; `close()` ends it. Without options it has no webhook endpoint. */
export async function simulatorForTests(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  const ended = mustBeEnded(`the Stripe simulator on ${simulator.url}`);
  return {
    ...simulator,
    async close() {
      await simulator.close();
      ended();
    },
  };
}
