import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository.js';

// Prints deploy/kubernetes/generated/prometheus-rules.yaml: the alerts as the Prometheus operator takes them, for those who apply plain YAML.
const folder = join(repositoryRoot(), 'deploy', 'observability', 'alerts');
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.yaml')) : [];
const documents = files.sort().map((file) => {
  const rules = readFileSync(join(folder, file), 'utf8').trimEnd();
  return [
    '---',
    'apiVersion: monitoring.coreos.com/v1',
    'kind: PrometheusRule',
    'metadata:',
    `  name: tidegate-${file.replace(/\.yaml$/, '').replace(/\.rules$/, '')}`,
    '  namespace: tidegate',
    '  labels:',
    '    app.kubernetes.io/part-of: tidegate',
    'spec:',
    ...rules.split('\n').map((line) => (line === '' ? '' : `  ${line}`)),
    '',
  ].join('\n');
});
process.stdout.write(`# Generated from deploy/observability/alerts.\n${documents.join('')}`);
