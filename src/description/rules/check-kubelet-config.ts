import {
  findKubeletField,
  kubeletFieldNames,
  kubeletMinorOf,
  type KubeletMinor,
} from '../../catalog/kubelet-options.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { showValue } from '../../diagnostics/quote.ts';
import { nearMiss } from '../did-you-mean.ts';
import { DURATION, QUANTITY } from './kubelet-limits.ts';
import { lifetimeInWords } from './lifetime-in-words.ts';
import type { Subject } from './rule.ts';

/** kubelet refuses a field that it does not know, and one of another type: it would not start on any node. */
export function* checkKubeletConfig({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const minor = kubeletMinorOf(cluster.kubelet.version);
  const config = spec.kubelet?.config;
  // Of a minor that is not supported, check-combinations tells.
  if (config === undefined || minor === undefined) return;
  yield* checkReserved(config);
  yield* checkFields(config, '', ['kubelet', 'config'], minor);
}

const reserved: Readonly<Record<string, string>> = {
  kind: 'bake writes it itself; remove it',
  apiVersion: 'bake writes it itself; remove it',
  address: "it is each node's own; write nodes[].address",
  cgroupDriver: 'containerd must have the same; write kubelet.cgroupDriver',
};

function* checkReserved(config: object): Iterable<Diagnostic> {
  for (const [field, remedy] of Object.entries(reserved)) {
    if (!Object.hasOwn(config, field)) continue;
    const path = ['kubelet', 'config', field];
    yield { code: 'reserved-kubelet-field', path, at: 'key', message: `${field} cannot be set here: ${remedy}` };
  }
}

/** @param prefix dotted path of the mapping, as the catalog has it: `authentication.` or `reservedMemory[].` */
function* checkFields(config: object, prefix: string, path: Path, minor: KubeletMinor): Iterable<Diagnostic> {
  for (const [name, value] of Object.entries(config) as [string, unknown][]) {
    const field = `${prefix}${name}`;
    const at = [...path, name];
    if (Object.hasOwn(reserved, field)) continue;
    const known = findKubeletField(minor, field);
    if (known === undefined) {
      yield { code: 'unknown-kubelet-field', path: at, at: 'key', message: explainUnknown(field, prefix, minor) };
    } else if (value !== null) {
      // null takes a field of bake's away.
      yield* checkValue(value, known.type, field, at, minor);
    }
  }
}

function explainUnknown(field: string, prefix: string, minor: KubeletMinor): string {
  const inWords = lifetimeInWords('field', field);
  const fact = `kubelet ${minor} has no field ${field}`;
  if (inWords !== undefined) return `${fact}${inWords}`;
  const siblings = kubeletFieldNames(minor).filter((name) => name.startsWith(prefix));
  const meant = nearMiss(field, siblings);
  return meant === undefined ? `${fact}; remove it, or correct its name` : `${fact}; did you mean ${meant}?`;
}

function* checkValue(
  value: unknown,
  type: string,
  field: string,
  path: Path,
  minor: KubeletMinor,
): Iterable<Diagnostic> {
  const [, container, inner = type] = /^(list|map) of (.+)$/.exec(type) ?? [];
  if (container === 'list') {
    if (!Array.isArray(value)) yield wrongType(value, 'a list', field, path);
    else
      for (const [index, item] of value.entries())
        yield* checkValue(item, inner, `${field}[]`, [...path, index], minor);
  } else if (container === 'map') {
    if (!isMapping(value)) yield wrongType(value, 'a mapping', field, path);
    else
      for (const [key, item] of Object.entries(value))
        if (item !== null) yield* checkValue(item, inner, field, [...path, key], minor);
  } else if (type === 'object') {
    if (isMapping(value)) yield* checkFields(value, `${field}.`, path, minor);
    else yield wrongType(value, 'a mapping', field, path);
  } else {
    const scalar = scalars[type];
    if (scalar?.accepts(value) === false) yield wrongType(value, scalar.inWords, field, path);
  }
}

interface ScalarType {
  readonly inWords: string;
  readonly accepts: (value: unknown) => boolean;
}

const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);

const scalars: Readonly<Record<string, ScalarType>> = {
  bool: { inWords: 'true or false', accepts: (value) => typeof value === 'boolean' },
  int: { inWords: 'a whole number', accepts: (value) => Number.isSafeInteger(value) },
  float: { inWords: 'a number', accepts: (value) => typeof value === 'number' },
  string: { inWords: 'text', accepts: (value) => typeof value === 'string' && !/\p{Cs}/u.test(value) },
  duration: { inWords: 'a duration such as 1m30s', accepts: matches(DURATION) },
  quantity: {
    inWords: 'a quantity such as 100Mi',
    accepts: (value) => typeof value === 'number' || matches(QUANTITY)(value),
  },
  time: {
    inWords: 'a time such as 2020-08-03T14:12:04Z',
    accepts: matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/),
  },
};

function wrongType(value: unknown, wanted: string, field: string, path: Path): Diagnostic {
  const message = `${field} takes ${wanted}, not ${showValue(value)}; ${remedyOf(value, wanted)}`;
  return { code: 'wrong-kubelet-type', path, at: 'value', message };
}

function remedyOf(value: unknown, wanted: string): string {
  if (wanted === 'text' && (typeof value === 'number' || typeof value === 'boolean'))
    return `write it in quotes: "${value}"`;
  if (wanted === 'a whole number' && typeof value === 'string' && /^\d+$/.test(value)) return 'remove the quotes';
  return 'correct it';
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
