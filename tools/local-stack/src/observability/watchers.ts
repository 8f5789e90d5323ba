import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../process/until.js';
import { repositoryRoot } from '../repository.js';
import { type Stack } from '../stack/stack.js';
import { type Jaeger, type Span, spansOf, startJaeger, tracesLinkedTo, treeOf } from './jaeger.js';
import { type Board, startBoard } from './board/board.server.js';
import { startPrometheus, type Watcher } from './prometheus.js';

const SCRAPE_SECONDS = 5;

/** What is to be seen, and where. */
export type Address = [name: string, where: string];

/** What `npm start -- --observability` runs beside the stack. */
export class Watchers {
  private prometheus: Watcher | undefined;
  private board: Board | undefined;

  private constructor(
    private readonly folder: string,
    private readonly jaeger: Jaeger,
    private readonly say: (line: string) => void,
  ) {}

  /** Jaeger, before the stack, whose services are told where it is. */
  static async start(dir: string, say: (line: string) => void): Promise<Watchers> {
    const folder = join(dir, 'watchers');
    return new Watchers(folder, await startJaeger({ folder, say }), say);
  }

  /** Base URL of the OTLP receiver. */
  get otlp(): string {
    return this.jaeger.otlp;
  }

  /** Prometheus and the dashboards, with the rules of production; it needs to know where the services are. */
  async watch(stack: Stack): Promise<void> {
    const alerts = join(repositoryRoot(), 'deploy', 'observability', 'alerts');
    const rules = readdirSync(alerts)
      .filter((file) => file.endsWith('.rules.yaml'))
      .map((file) => join(alerts, file));
    this.prometheus = await startPrometheus({ folder: this.folder, stack, rules, everySeconds: SCRAPE_SECONDS, say: this.say });
    this.board = await startBoard(this.prometheus.url);
  }

  /** Where to look. Programs that Go or Debian brings may come without pages of their own: then what their API answers is named. */
  async addresses(): Promise<Address[]> {
    const { url } = this.jaeger;
    const traces = (await hasPages(url)) ? url : `${url}/api/traces/ID as JSON (this Jaeger was compiled without its pages)`;
    const metrics = this.prometheus?.url;
    return [
      ['Traces', traces],
      ...(metrics === undefined
        ? []
        : [['Metrics', (await hasPages(metrics)) ? metrics : `${metrics}/api/v1/query?query=up`] satisfies Address]),
      ...(metrics === undefined ? [] : [['Alerts', `${metrics}/api/v1/alerts`] satisfies Address]),
      ...(this.board === undefined
        ? []
        : [['Dashboards', `${this.board.url}   (a Grafana takes deploy/observability/dashboards)`] satisfies Address]),
    ];
  }

  /** The trace of the demonstration as Jaeger has it, once the receipt is in it, and the deliveries of Stripe that are linked to it. */
  async tree(traceId: string): Promise<string> {
    const { url } = this.jaeger;
    const spans = await until(
      async () => {
        const found = await spansOf(url, traceId);
        if (!found.some(({ name }) => name.includes('render')))
          throw new Error(`Jaeger has ${found.length} spans of it, and none of the receipt`);
        return found;
      },
      { what: 'the trace to be complete', timeoutMs: 30_000, everyMs: 250 },
    );
    const at = `${url}/${(await hasPages(url)) ? 'trace' : 'api/traces'}`;
    return [
      `The trace in Jaeger, ${at}/${traceId}:`,
      ...treeOf(spans).map((line) => `    ${line}`),
      'and what Stripe delivered, in traces that are linked to it:',
      ...(await this.deliveries(traceId)).map(({ service, name, trace }) => `    ${service}: ${name}   ${at}/${trace}`),
    ].join('\n');
  }

  /** The spans of deliveries that name a trace; none where nobody forwards them from real Stripe. */
  private async deliveries(traceId: string): Promise<Span[]> {
    const linking = async () => {
      const spans = (await tracesLinkedTo(this.jaeger.url, traceId, 'webhooks')).flat();
      const found = spans.filter(({ links }) => links.includes(traceId));
      if (found.length === 0) throw new Error('none yet');
      return found;
    };
    return until(linking, { what: 'linked traces', timeoutMs: 10_000, everyMs: 250 }).catch(() => []);
  }

  async stop(): Promise<void> {
    await Promise.all([this.jaeger.stop(), this.prometheus?.stop(), this.board?.stop()]);
  }
}

/** Whether a program answers a browser with more than a word of excuse. */
async function hasPages(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => null);
  if (answer === null || !answer.ok) return false;
  return !/not the Jaeger UI/.test(await answer.text());
}
