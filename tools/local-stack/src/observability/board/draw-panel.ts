import { type GrafanaPanel } from './dashboard-file.js';
import { figure } from './figures.js';

/** What an expression gave over a time, under the words of its legend. */
export interface Series {
  legend: string;
  /** Seconds since 1970, and the value; ordered. */
  points: readonly (readonly [at: number, value: number])[];
}

export interface Range {
  from: number;
  to: number;
}

const COLORS = ['#2563eb', '#059669', '#d97706', '#dc2626', '#7c3aed', '#0891b2', '#be185d', '#4d7c0f', '#64748b', '#b45309'];
/** Of states: closed, open, half-open, isolated, refused. */
const STATES = ['#16a34a', '#dc2626', '#f59e0b', '#7c3aed', '#991b1b'];
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [400, 150, 58, 18];
const MOST_IN_LEGEND = 8;

/** A panel as a figure of HTML with an SVG inside. Pure: the same data give the same bytes. */
export function drawPanel(panel: GrafanaPanel, series: readonly Series[], range: Range): string {
  const drawn = series.filter(({ points }) => points.some(([, value]) => Number.isFinite(value)));
  const description = panel.description === undefined ? '' : `<p>${escaped(panel.description)}</p>`;
  const body = drawn.length === 0 ? '<p class="empty">no data</p>' : picture(panel, drawn, range);
  return `<figure><figcaption>${escaped(panel.title)}</figcaption>${description}${body}</figure>`;
}

function picture(panel: GrafanaPanel, series: readonly Series[], range: Range): string {
  switch (panel.type) {
    case 'stat':
      return stat(panel, series, range);
    case 'state-timeline':
      return timeline(panel, series, range);
    case 'timeseries':
      return lines(panel, series, range);
    default:
      return panel.type satisfies never;
  }
}

function stat({ fieldConfig }: GrafanaPanel, series: readonly Series[], { to }: Range): string {
  const rows = series.map(
    ({ legend, points }) => `<dt>${escaped(legend)}</dt><dd>${figure(points.at(-1)![1], fieldConfig.defaults.unit, to)}</dd>`,
  );
  return `<dl>${rows.join('')}</dl>`;
}

function lines({ fieldConfig: { defaults } }: GrafanaPanel, series: readonly Series[], range: Range): string {
  const limit = defaults.thresholds.steps.find(({ value }) => value !== null)?.value ?? null;
  const values = series.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...values), Math.max(...values, 0)];
  // A limit far above what there is would flatten it.
  const top = limit !== null && limit <= high * 4 ? Math.max(high, limit) : high;
  const scale = { low, high: top === low ? low + 1 : top };
  const y = (value: number) => round(HEIGHT - BOTTOM - ((value - scale.low) / (scale.high - scale.low)) * (HEIGHT - BOTTOM - 8));
  const grid = [scale.low, (scale.low + scale.high) / 2, scale.high].map(
    (value) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 4}" y="${y(value) + 3}" text-anchor="end">${figure(value, defaults.unit, range.to)}</text>`,
  );
  const marked =
    limit === null || limit > scale.high ? '' : `<line class="limit" x1="${LEFT}" x2="${WIDTH}" y1="${y(limit)}" y2="${y(limit)}"/>`;
  const paths = series.map(
    ({ points }, n) =>
      `<polyline stroke="${colorOf(n)}" points="${points
        .filter(([, value]) => Number.isFinite(value))
        // Twice, so that one alone is a dot.
        .flatMap(([at, value], i) => Array.from({ length: i === 0 ? 2 : 1 }, () => `${x(at, range)},${y(value)}`))
        .join(' ')}"/>`,
  );
  // The highest first: of many, those at the end of the list are not named.
  const last = ({ points }: Series) => points.at(-1)![1];
  const said = series
    .map((one, n) => ({ legend: one.legend, color: colorOf(n), value: last(one), last: figure(last(one), defaults.unit, range.to) }))
    .sort((a, b) => (b.value || 0) - (a.value || 0));
  return svg(HEIGHT, [...grid, marked, ...paths, ...times(range, HEIGHT)]) + legendOf(said);
}

function timeline({ fieldConfig: { defaults } }: GrafanaPanel, series: readonly Series[], range: Range): string {
  const words = (value: number) => defaults.mappings[0]?.options[String(value)]?.text ?? String(value);
  const row = 24;
  const height = series.length * row + BOTTOM;
  const rows = series.flatMap(({ legend, points }, n) => [
    `<text x="${LEFT + 34}" y="${n * row + 15}" text-anchor="end">${escaped(legend)}</text>`,
    ...points.map(([at, value], i) => {
      const until = points[i + 1]?.[0] ?? range.to;
      const from = Math.max(x(at, range), LEFT + 38);
      return `<rect x="${from}" y="${n * row + 2}" width="${Math.max(0, round(x(until, range) - from + 0.3))}" height="${row - 6}" fill="${STATES[value] ?? '#64748b'}"/>`;
    }),
  ]);
  const said = series.map(({ legend, points }) => ({
    legend,
    color: STATES[points.at(-1)![1]] ?? '#64748b',
    last: words(points.at(-1)![1]),
  }));
  return svg(height, [...rows, ...times(range, height)]) + legendOf(said);
}

function legendOf(said: readonly { legend: string; color: string; last: string }[]): string {
  const items = said
    .slice(0, MOST_IN_LEGEND)
    .map(({ legend, color, last }) => `<li><i style="background:${color}"></i>${escaped(legend)} <b>${escaped(last)}</b></li>`);
  const more = said.length > MOST_IN_LEGEND ? [`<li>and ${said.length - MOST_IN_LEGEND} more</li>`] : [];
  return `<ul>${[...items, ...more].join('')}</ul>`;
}

function times({ from, to }: Range, height: number): string[] {
  const clock = (at: number) => new Date(at * 1000).toISOString().slice(11, 16);
  return [
    `<text x="${LEFT}" y="${height - 4}">${clock(from)}</text>`,
    `<text x="${WIDTH}" y="${height - 4}" text-anchor="end">${clock(to)} UTC</text>`,
  ];
}

const svg = (height: number, parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${parts.join('')}</svg>`;
const x = (at: number, { from, to }: Range): number => round(LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT));
const colorOf = (n: number): string => COLORS[n % COLORS.length]!;
const round = (value: number): number => Math.round(value * 10) / 10;

/** Text that may stand in HTML. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
