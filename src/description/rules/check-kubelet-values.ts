import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { quote, showValue } from '../../diagnostics/quote.ts';
import { nearMiss } from '../did-you-mean.ts';
import { fieldLimits, itemLimits, mapLimits, type Limit } from './kubelet-limits.ts';
import { mappingOf } from './mapping-of.ts';
import type { Subject } from './rule.ts';

const code = 'bad-kubelet-value';
const top: Path = ['kubelet', 'config'];

/** Values of the right type with which kubelet still ends at its start, on every node. */
export function* checkKubeletValues({ spec }: Subject): Iterable<Diagnostic> {
  const written = spec.kubelet?.config;
  if (written === undefined) return;
  for (const [field, limit] of Object.entries(fieldLimits)) {
    const steps = field.split('.');
    yield* checkLimit(limit, field, valueAt(written, steps), [...top, ...steps]);
  }
  for (const [field, limit] of Object.entries(itemLimits)) {
    const items = written[field];
    if (!Array.isArray(items)) continue;
    for (const [index, item] of items.entries()) yield* checkLimit(limit, field, item, [...top, field, index]);
  }
  for (const [field, { keys, value: limit }] of Object.entries(mapLimits)) {
    for (const [key, value] of Object.entries(mappingOf(written[field]))) {
      const path = [...top, field, key];
      if (!keys.includes(key)) {
        const meant = nearMiss(key, keys);
        const remedy = meant === undefined ? `write ${keys.join(', ')}` : `did you mean ${meant}?`;
        yield { code, path, at: 'key', message: `${field} has no ${quote(key)}; ${remedy}` };
      } else {
        yield* checkLimit(limit, `${field}.${key}`, value, path);
      }
    }
  }
}

function* checkLimit({ accepts, wanted }: Limit, field: string, value: unknown, path: Path): Iterable<Diagnostic> {
  if (accepts(value)) return;
  yield { code, path, at: 'value', message: `${showValue(value)} is no value for ${field}; write ${wanted}` };
}

function valueAt(config: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((below, step) => mappingOf(below)[step], config);
}
