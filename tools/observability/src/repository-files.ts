import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/local-stack/repository';

export const alertsFolder = (): string => join(repositoryRoot(), 'deploy', 'observability', 'alerts');
export const dashboardsFolder = (): string => join(repositoryRoot(), 'deploy', 'observability', 'dashboards');
export const alertmanagerFile = (): string => join(repositoryRoot(), 'deploy', 'observability', 'alertmanager', 'alertmanager.yaml');
export const runbooksFolder = (): string => join(repositoryRoot(), 'docs', 'runbooks');

/** The files of a folder whose names end so, sorted, with their text. */
export function filesIn(folder: string, ending: string): { file: string; text: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ file: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }));
}
