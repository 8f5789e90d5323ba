/** A figure as short as a panel wants it, by Grafana's name of its unit. `now` in seconds, for points in time. */
export function figure(value: number, unit: string, now = Date.now() / 1000): string {
  if (!Number.isFinite(value)) return '–';
  switch (unit) {
    case 's':
      return span(value);
    case 'percentunit':
      return `${short(value * 100)} %`;
    case 'ops':
      return `${short(value)}/s`;
    case 'dateTimeFromNow':
      return value === 0 ? 'never' : `${span(Math.max(0, now - value / 1000))} ago`;
    default:
      return short(value);
  }
}

function span(seconds: number): string {
  const size = Math.abs(seconds);
  if (size >= 172_800) return `${short(seconds / 86_400)} d`;
  if (size >= 7_200) return `${short(seconds / 3_600)} h`;
  if (size >= 120) return `${short(seconds / 60)} min`;
  return size >= 1 || size === 0 ? `${short(seconds)} s` : `${short(seconds * 1000)} ms`;
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  return size >= 1e4 ? `${trimmed(value / 1e3)}k` : trimmed(value);
}

const trimmed = (value: number): string => String(Number(value.toPrecision(3)));
