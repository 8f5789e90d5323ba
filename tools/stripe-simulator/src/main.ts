#!/usr/bin/env node
import { readConfig } from './config.js';
import { type Simulator, startSimulator } from './simulator.js';

/**
 * Prints one JSON line per log event, the first of them `listening` with the URL. Stops with 0 on SIGTERM and SIGINT, or with 2
 * when `--self-check` found an answer or event of ours that deviates from Stripe's API description.
 */
try {
  const starting = startSimulator({ ...readConfig(process.argv.slice(2), process.env), logger: log });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void starting.then(stop));
  await starting;
} catch (error) {
  console.error(`stripe-simulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function log(event: string, details: Record<string, unknown>): void {
  console.log(
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level: event.endsWith('_failed') ? 'error' : 'info',
      service: 'stripe-simulator',
      event,
      ...details,
    }),
  );
}

async function stop(simulator: Simulator): Promise<void> {
  await simulator.close();
  process.exit((simulator.world.selfCheck?.faults.length ?? 0) > 0 ? 2 : 0);
}
