#!/usr/bin/env node
import { readConfig } from './config.js';
import { type Simulator, startSimulator } from './simulator.js';

/** Prints one JSON line per log event, the first of them `listening` with the URL. Stops with 0 on SIGTERM and SIGINT. */
try {
  const options = readConfig(process.argv.slice(2), process.env);
  const simulator = await startSimulator({ ...options, logger: log });
  process.once('SIGTERM', () => void stop(simulator));
  process.once('SIGINT', () => void stop(simulator));
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
  process.exit(0);
}
