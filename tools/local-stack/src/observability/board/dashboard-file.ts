import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../repository.js';

/** What is read of a panel as Grafana has it. */
export interface GrafanaPanel {
  title: string;
  description?: string;
  type: 'timeseries' | 'stat' | 'state-timeline';
  targets: readonly { expr: string; legendFormat: string }[];
  fieldConfig: {
    defaults: {
      unit: string;
      mappings: readonly { options: Readonly<Record<string, { text: string }>> }[];
      thresholds: { steps: readonly { color: string; value: number | null }[] };
    };
  };
}

export interface GrafanaDashboard {
  uid: string;
  title: string;
  description: string;
  panels: readonly GrafanaPanel[];
}

/** The dashboards of deploy/observability, as they are committed. */
export function committedDashboards(): GrafanaDashboard[] {
  const folder = join(repositoryRoot(), 'deploy', 'observability', 'dashboards');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as GrafanaDashboard);
}
