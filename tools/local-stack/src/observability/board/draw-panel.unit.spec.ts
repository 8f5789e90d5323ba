import { describe, expect, it } from '@jest/globals';
import { boardPage } from './board-page.js';
import { committedDashboards, type GrafanaPanel } from './dashboard-file.js';
import { drawPanel, type Series } from './draw-panel.js';
import { figure } from './figures.js';

const RANGE = { from: 1_000, to: 1_900 };
const panel = (
  type: GrafanaPanel['type'],
  more: { unit?: string; limit?: number; words?: Record<string, { text: string }> } = {},
): GrafanaPanel => ({
  title: 'Calls <b>',
  type,
  targets: [],
  fieldConfig: {
    defaults: {
      unit: more.unit ?? 'short',
      mappings: more.words === undefined ? [] : [{ options: more.words }],
      thresholds: {
        steps: [{ color: 'green', value: null }, ...(more.limit === undefined ? [] : [{ color: 'red', value: more.limit }])],
      },
    },
  },
});
const series = (legend: string, ...values: number[]): Series => ({
  legend,
  points: values.map((value, n): [number, number] => [RANGE.from + n * 300, value]),
});

describe('A panel that is drawn', () => {
  it('has a line for each series, from left to right, higher for more', () => {
    const html = drawPanel(panel('timeseries', { unit: 's' }), [series('p50', 1, 2), series('p95', 3, 90)], RANGE);
    const lines = [...html.matchAll(/<polyline[^>]* points="([^"]+)"/g)].map(([, points]) =>
      points!.split(' ').map((at) => at.split(',').map(Number)),
    );
    expect(lines).toHaveLength(2);
    const [[x0, y0], , [x1, y1]] = lines[1] as [[number, number], unknown, [number, number]];
    expect(x1).toBeGreaterThan(x0);
    expect(y1).toBeLessThan(y0);
    expect(html).toContain('p95 <b>90 s</b>');
    expect(html.indexOf('p95')).toBeLessThan(html.indexOf('p50'));
  });

  it('says so when there is nothing, and takes no title for HTML', () => {
    const html = drawPanel(panel('timeseries'), [{ legend: 'x', points: [] }], RANGE);
    expect(html).toContain('no data');
    expect(html).toContain('Calls &lt;b&gt;');
  });

  it('marks a limit that is near, and not one that would flatten the rest', () => {
    expect(drawPanel(panel('timeseries', { limit: 5 }), [series('a', 4)], RANGE)).toContain('class="limit"');
    expect(drawPanel(panel('timeseries', { limit: 1800 }), [series('a', 4)], RANGE)).not.toContain('class="limit"');
  });

  it('leaves out what is no number', () => {
    const html = drawPanel(panel('timeseries'), [series('a', Number.NaN, 2, Number.POSITIVE_INFINITY)], RANGE);
    expect(html).not.toMatch(/points="[^"]*(NaN|Infinity)/);
    expect(drawPanel(panel('timeseries'), [series('a', Number.NaN)], RANGE)).toContain('no data');
  });

  it('names states in words', () => {
    const words = { 0: { text: 'closed' }, 1: { text: 'open' } };
    const html = drawPanel(panel('state-timeline', { words }), [series('stripe', 0, 1)], RANGE);
    expect(html.match(/<rect/g)).toHaveLength(2);
    expect(html).toContain('stripe <b>open</b>');
  });

  it('shows the last figure where only that counts', () => {
    expect(drawPanel(panel('stat', { unit: 's' }), [series('run of days', 10, 7200)], RANGE)).toContain('<dt>run of days</dt><dd>2 h</dd>');
  });
});

describe('A figure', () => {
  it.each([
    [0.00321, 's', '3.21 ms'],
    [180, 's', '3 min'],
    [0.125, 'percentunit', '12.5 %'],
    [3.4567, 'ops', '3.46/s'],
    [12_345, 'short', '12.3k'],
    [Number.NaN, 's', '–'],
    [940_000, 'dateTimeFromNow', '60 s ago'],
  ])('%d of %s reads %s', (value, unit, text) => {
    expect(figure(value, unit, 1_000)).toBe(text);
  });
});

describe('The committed dashboards', () => {
  it('are all on the page, with what fires', () => {
    const all = committedDashboards();
    const [shown] = all;
    const html = boardPage({ shown: shown!, all, figures: shown!.panels.map((one) => drawPanel(one, [], RANGE)), firing: ['OutboxLag'] });
    for (const { uid } of all) expect(html).toContain(`href="/${uid}"`);
    expect(html.match(/<figure>/g)).toHaveLength(shown!.panels.length);
    expect(html).toContain('OutboxLag');
  });
});
