import { type Stage } from './stage.js';

/** Resolves when the alert is told; throws an Error when that takes over a minute. */
export async function untilFires(stage: Stage, alert: string): Promise<void> {
  for (let looks = 0; looks < 240; looks += 1) {
    if ((await stage.told()).some(({ labels }) => labels['alertname'] === alert)) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${alert} has not fired within a minute`);
}
