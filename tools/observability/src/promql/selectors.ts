import { parser } from '@prometheus-io/lezer-promql';

export interface Matcher {
  label: string;
  op: '=' | '!=' | '=~' | '!~';
  value: string;
}

/** One series selector of an expression: `circuit_state{breaker_name="stripe"}`. */
export interface Selector {
  metric: string;
  matchers: Matcher[];
}

/** What an expression reads. Throws an Error with the place when it is no PromQL. */
export function selectorsOf(expr: string): Selector[] {
  const found: Selector[] = [];
  parser.parse(expr).iterate({
    enter(node) {
      const text = expr.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`Not PromQL at ${node.from}: ${expr.slice(Math.max(0, node.from - 20), node.from + 20)}`);
      if (node.name === 'VectorSelector') found.push({ metric: /^[A-Za-z_:][\w:]*/.exec(text)?.[0] ?? '', matchers: matchersOf(text) });
    },
  });
  return found;
}

function matchersOf(selector: string): Matcher[] {
  const inside = /\{(.*)\}/s.exec(selector)?.[1] ?? '';
  return [...inside.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)].map(([, label, op, value]) => ({
    label: label!,
    op: op as Matcher['op'],
    value: value!,
  }));
}

/** Whether the value of a label meets a matcher; expressions are anchored, as Prometheus has it. */
export function matches({ op, value }: Matcher, actual: string): boolean {
  const equal = op.includes('~') ? new RegExp(`^(?:${value})$`).test(actual) : actual === value;
  return op.startsWith('!') ? !equal : equal;
}
