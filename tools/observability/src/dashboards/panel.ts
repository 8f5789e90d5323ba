/** A panel as a page of a dashboard is written down: what it shows, and by which expressions. */
export interface Panel {
  title: string;
  /** Legend by expression: `{{breaker_name}}`. */
  queries: Readonly<Record<string, string>>;
  unit?: 'short' | 's' | 'percentunit' | 'ops' | 'dateTimeFromNow';
  kind?: 'timeseries' | 'stat' | 'state-timeline';
  /** Words for values, for states. */
  words?: Readonly<Record<number, string>>;
  /** Above it is red. */
  limit?: number;
  description?: string;
}

export interface Dashboard {
  /** `tidegate-stripe`; also the name of its file. */
  uid: string;
  title: string;
  description: string;
  panels: readonly Panel[];
}

const COLUMNS = 24;
const [WIDTH, HEIGHT] = [8, 8];
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard as Grafana imports it: three panels side by side, the data source chosen at the top. */
export function grafanaJson({ uid, title, description, panels }: Dashboard): object {
  return {
    uid,
    title,
    description,
    tags: ['tidegate'],
    editable: false,
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'utc',
    templating: { list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }] },
    links: [{ type: 'dashboards', title: 'Tidegate', tags: ['tidegate'], asDropdown: true, includeVars: true, keepTime: true }],
    annotations: {
      list: [
        {
          name: 'Alerts',
          datasource: SOURCE,
          enable: true,
          iconColor: 'red',
          expr: 'ALERTS{alertstate="firing",alertname!="Watchdog"}',
          titleFormat: '{{alertname}}',
        },
      ],
    },
    panels: panels.map(panelJson),
  };
}

function panelJson(panel: Panel, index: number): object {
  const { title, queries, unit = 'short', kind = 'timeseries', words, limit, description } = panel;
  const perRow = COLUMNS / WIDTH;
  return {
    id: index + 1,
    title,
    type: kind,
    ...(description === undefined ? {} : { description }),
    datasource: SOURCE,
    gridPos: { x: (index % perRow) * WIDTH, y: Math.floor(index / perRow) * HEIGHT, w: WIDTH, h: HEIGHT },
    targets: Object.entries(queries).map(([expr, legendFormat], n) => ({
      refId: String.fromCharCode(65 + n),
      datasource: SOURCE,
      expr,
      legendFormat,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: unit === 'dateTimeFromNow' ? undefined : 0,
        mappings:
          words === undefined
            ? []
            : [{ type: 'value', options: Object.fromEntries(Object.entries(words).map(([value, text]) => [value, { text }])) }],
        thresholds: {
          mode: 'absolute',
          steps: [{ color: 'green', value: null }, ...(limit === undefined ? [] : [{ color: 'red', value: limit }])],
        },
        custom:
          kind === 'timeseries'
            ? { lineWidth: 1, fillOpacity: 10, showPoints: 'never', thresholdsStyle: { mode: limit === undefined ? 'off' : 'line' } }
            : {},
      },
      overrides: [],
    },
    options: kind === 'timeseries' ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } } : {},
  };
}
