import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { boardPage } from './board-page.js';
import { committedDashboards, type GrafanaDashboard, type GrafanaPanel } from './dashboard-file.js';
import { drawPanel, type Range, type Series } from './draw-panel.js';

const SHOWN_SECONDS = 900;
const LEAST_SECONDS = 120;
const STEPS = 90;
const FIRING = 'ALERTS{alertstate="firing",alertname!="Watchdog"}';

export interface Board {
  url: string;
  stop(): Promise<void>;
}

/**
 * The committed dashboards over the last quarter of an hour of a Prometheus, drawn on the loopback address for somebody without a Grafana. It understands as much of
 * Grafana's format as our dashboards use.
 */
export async function startBoard(prometheusUrl: string): Promise<Board> {
  const all = committedDashboards();
  const since = Date.now() / 1000;
  const server = createServer((request, response) => {
    const uid = new URL(request.url ?? '/', 'http://board').pathname.slice(1);
    const shown = all.find((one) => one.uid === (uid || 'tidegate-overview'));
    if (shown === undefined) return void response.writeHead(404).end('There is no such dashboard.\n');
    page(shown, all, { prometheusUrl, range: rangeFrom(since) }).then(
      (text) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text),
      (error: unknown) => response.writeHead(502).end(`Prometheus gives no answer: ${String(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** The last quarter of an hour, or as long as there has been anything to see. */
function rangeFrom(since: number): Range {
  const to = Math.floor(Date.now() / 1000);
  const shown = Math.min(SHOWN_SECONDS, Math.max(LEAST_SECONDS, to - since));
  return { from: Math.floor(to - shown), to };
}

interface Looked {
  prometheusUrl: string;
  range: Range;
}

async function page(shown: GrafanaDashboard, all: readonly GrafanaDashboard[], { prometheusUrl, range }: Looked): Promise<string> {
  const figures = await Promise.all(
    shown.panels.map(async (panel) => drawPanel(panel, await seriesOf(panel, range, prometheusUrl), range)),
  );
  const firing = await asked(prometheusUrl, 'query', { query: FIRING });
  return boardPage({ shown, all, figures, firing: [...new Set(firing.map(({ metric }) => metric['alertname'] ?? ''))] });
}

async function seriesOf({ targets }: GrafanaPanel, { from, to }: Range, prometheusUrl: string): Promise<Series[]> {
  const step = String((to - from) / STEPS);
  const found = await Promise.all(
    targets.map(async ({ expr, legendFormat }) => {
      const result = await asked(prometheusUrl, 'query_range', { query: expr, start: String(from), end: String(to), step });
      return result.map(({ metric, values = [] }) => ({
        legend: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
        points: values.map(([at, value]): [number, number] => [at, Number(value)]),
      }));
    }),
  );
  return found.flat();
}

interface Sample {
  metric: Record<string, string>;
  values?: [number, string][];
}

async function asked(prometheusUrl: string, what: 'query' | 'query_range', form: Record<string, string>): Promise<Sample[]> {
  const answer = await fetch(`${prometheusUrl}/api/v1/${what}`, { method: 'POST', body: new URLSearchParams(form) });
  const { data, error } = (await answer.json()) as { data?: { result: Sample[] }; error?: string };
  if (data === undefined) throw new Error(`${form['query']}: ${error}`);
  return data.result;
}
