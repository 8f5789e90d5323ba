import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { alertNames, pageOf } from '../src/alerts/rules.js';
import { DASHBOARDS, expressions } from '../src/dashboards/dashboards.js';
import { DRILLS, type DrillEntry } from '../src/drills/catalogue.js';
import { drillTable } from '../src/drills/table.js';
import { faultOf, knownMetrics } from '../src/promql/known-metrics.js';
import { selectorsOf } from '../src/promql/selectors.js';
import { filesIn, runbooksFolder } from '../src/repository-files.js';
import { missingIn, refusalOf } from './accepted.js';
import { type Page, parsePage, runbookPages, SECTIONS, tidegateCommands } from '../src/runbooks/page.js';

const pages = runbookPages();
const known = knownMetrics();

/** Between backticks in the prose, too: there `…` and capitals stand for something. */
const inProse = (text: string): string[][] =>
  [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`(tidegate [^`]+)`/g)]
    .map(([, line]) => line!.replaceAll(/--expire\|--extend/g, '--expire'))
    .flatMap(tidegateCommands);

describe('The pages of the runbook', () => {
  it.each(pages.map((page): [string, Page] => [page.name, page]))('%s tells what one needs at three in the morning', (_, page) => {
    expect(page.sections).toEqual([...SECTIONS]);
    const links = [...page.text.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!);
    expect(
      links.filter(
        (target) => !/^https?:/.test(target) && target !== '../generated/drills.md' && !existsSync(join(runbooksFolder(), target)),
      ),
    ).toEqual([]);
  });

  it('have commands that there are, with options that they take', () => {
    const commands = pages.flatMap(({ text, runnables }) => [...runnables.flatMap((one) => tidegateCommands(one.text)), ...inProse(text)]);
    expect(commands.length).toBeGreaterThan(100);
    expect(commands.map(refusalOf).filter((refusal) => refusal !== null)).toEqual([]);
  });

  it('have blocks that can be run as they stand, where nobody is asked anything', () => {
    const lacking = pages.flatMap(({ name, runnables }) =>
      runnables
        .filter(({ language }) => language === 'sh')
        .flatMap(({ text }) => tidegateCommands(text))
        .map((words) => [name, words.join(' '), ...missingIn(words)])
        .filter(([, , missing]) => missing !== undefined),
    );
    expect(lacking).toEqual([]);
  });

  it('run a command before and after, and ask for a reason in each that changes something', () => {
    for (const { name, runnables } of pages) {
      expect([name, runnables.some(({ section }) => section === 'Diagnosis')]).toEqual([name, true]);
      if (name !== 'watchdog') expect([name, runnables.some(({ section }) => section === 'Verification')]).toEqual([name, true]);
      const changes = runnables.flatMap(({ text }) => tidegateCommands(text)).filter((words) => words.includes('--yes'));
      expect(changes.filter((words) => !words.includes('--reason'))).toEqual([]);
    }
  });

  it('ask only for metrics that there are', () => {
    const asked = pages.flatMap(({ runnables }) => runnables.filter(({ language }) => language === 'promql').map(({ text }) => text));
    const faults = asked.flatMap((expr) =>
      selectorsOf(expr)
        .filter(({ metric }) => metric !== 'ALERTS')
        .map((selector) => faultOf(selector, known)),
    );
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
  });

  it('are all in the table of contents', () => {
    const contents = readFileSync(join(runbooksFolder(), 'README.md'), 'utf8');
    expect(pages.filter(({ name }) => !contents.includes(`(${name}.md)`)).map(({ name }) => name)).toEqual([]);
  });

  it('are one for each alert, and some for scenarios', () => {
    const ofAlerts = alertNames().map(pageOf);
    expect(pages.map(({ name }) => name).filter((name) => !ofAlerts.includes(name))).toEqual([
      'breaker-stuck-open',
      'database-lost',
      'events-and-replay',
      'stripe-is-down',
    ]);
  });

  it('refuse to mark a block as runnable that nothing can run', () => {
    expect(() => parsePage('x', '# X\n\n## Diagnosis\n\n```python run\nprint(1)\n```\n')).toThrow('nothing runs a block of "python"');
  });
});

describe('The drills', () => {
  it('follow pages that there are', () => {
    const names = pages.map(({ name }) => name);
    expect(Object.values<DrillEntry>(DRILLS).filter(({ page }) => !names.includes(page))).toEqual([]);
  });

  it('are told of in a table, with how they went last', () => {
    const table = drillTable({ backlog: { on: '2026-11-22', result: 'passed', alert_seconds: 9, healed_seconds: 21 } });
    expect(table).toContain('| `backlog` | a rate limit far below what comes in | PaymentsRetryBacklog |');
    expect(table).toContain('passed on 2026-11-22; alert after 9 s, healed after 21 s');
    expect(table).toContain(
      '| `breaker-open` | Stripe answers every call with 503 | StripeCircuitOpen | [stripe-circuit-open](../runbooks/stripe-circuit-open.md) | not run yet |',
    );
  });
});

describe('The dashboards', () => {
  it('ask only for metrics, labels and values that there are', () => {
    const faults = expressions().flatMap(({ where, expr }) =>
      selectorsOf(expr)
        .filter(({ metric }) => metric !== 'ALERTS')
        .map((selector) => faultOf(selector, known))
        .filter((fault) => fault !== null)
        .map((fault) => `${where}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  it('and the pages name the job that failed as Prometheus calls it, not the job of the scrape', () => {
    const asked = [
      ...expressions().map(({ expr }) => expr),
      ...pages.flatMap(({ runnables }) => runnables.filter(({ language }) => language === 'promql').map(({ text }) => text)),
    ].filter((expr) => expr.includes('job_errors_total'));
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((expr) => /[({, ]job[,)=}]/.test(expr))).toEqual([]);
  });

  it('show each metric of the product at least once, or a rule reads it', () => {
    const shown = new Set(
      expressions().flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric.replace(/_(bucket|count|sum)$/, ''))),
    );
    expect([...shown].length).toBeGreaterThan(45);
    expect(DASHBOARDS.every(({ panels }) => panels.every(({ queries }) => Object.keys(queries).length > 0))).toBe(true);
  });
});

describe('The steps of the reference runbooks', () => {
  const { text } = filesIn(runbooksFolder(), 'reference-steps.md')[0]!;

  it('are answered by commands that there are', () => {
    const commands = inProse(text);
    expect(commands.length).toBeGreaterThan(40);
    expect(commands.map(refusalOf).filter((refusal) => refusal !== null)).toEqual([]);
  });

  it('are all answered, by pages that there are', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('|') && !/^\| (Step|-)/.test(line));
    expect(rows.length).toBeGreaterThan(80);
    expect(rows.filter((row) => (row.split('|')[2]?.trim() ?? '') === '')).toEqual([]);
    const links = [...text.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, target]) => target!);
    expect(links.filter((target) => !existsSync(join(runbooksFolder(), target)))).toEqual([]);
  });
});
