import { basename } from 'node:path';
import { parse } from 'yaml';
import { alertsFolder, filesIn } from '../repository-files.js';

/** One alerting rule as its file has it. Several may share a name, as warning and critical. */
export interface AlertRule {
  alert: string;
  expr: string;
  /** Absent: it fires at once. */
  for?: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

export interface RuleFile {
  /** Its name without the folder: `stripe.rules.yaml`. */
  file: string;
  groups: { name: string; rules: AlertRule[] }[];
}

/** Every rule file of `deploy/observability/alerts`. */
export function ruleFiles(): RuleFile[] {
  return filesIn(alertsFolder(), '.rules.yaml').map(({ file, text }) => ({ ...(parse(text) as RuleFile), file: basename(file) }));
}

export const allRules = (): AlertRule[] => ruleFiles().flatMap(({ groups }) => groups.flatMap(({ rules }) => rules));

/** Names of all alerts, each once, sorted. */
export const alertNames = (): string[] => [...new Set(allRules().map(({ alert }) => alert))].sort();

/** Where the page of an alert is, without folder and suffix: `StripeCircuitOpen` is `stripe-circuit-open`. */
export const pageOf = (alert: string): string => alert.replaceAll(/(?<!^)(?=[A-Z])/g, '-').toLowerCase();
