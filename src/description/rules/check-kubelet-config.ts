import {
  findKubeletField,
  kubeletFieldNames,
  kubeletMinorOf,
  type KubeletMinor,
} from '../../catalog/kubelet-options.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { quote, showValue } from '../../diagnostics/quote.ts';
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
  const fact = `kubelet ${minor} has no field ${quote(field)}`;
  const inWords = lifetimeInWords('field', field);
  if (inWords !== undefined) return `${fact}${inWords}`;
  const siblings = kubeletFieldNames(minor).filter((name) => name.startsWith(prefix));
  const meant = nearMiss(field, siblings);
  return meant === undefined ? `${fact}; remove it, or correct its name` : `${fact}; did you mean ${meant}?`;
}

/** @param type as the catalog writes it: `map of string` */
function* checkValue(
  value: unknown,
  type: string,
  field: string,
  path: Path,
  minor: KubeletMinor,
): Iterable<Diagnostic> {
  const [, container = type, inner = ''] = /^(list|map) of (.+)$/.exec(type) ?? [];
  const expected = containers[container] ?? scalars[container];
  if (expected?.accepts(value) === false) {
    yield wrongType(value, expected.inWords, field, path);
  } else if (container === 'list') {
    for (const [index, item] of (value as unknown[]).entries()) {
      yield* checkValue(item, inner, `${field}[]`, [...path, index], minor);
    }
  } else if (container === 'map') {
    for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
      if (item !== null) yield* checkValue(item, inner, field, [...path, key], minor);
    }
  } else if (container === 'object') {
    yield* checkFields(value as object, `${field}.`, path, minor);
  }
}

interface ExpectedType {
  readonly inWords: string;
  readonly accepts: (value: unknown) => boolean;
}

const isMapping = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const containers: Readonly<Record<string, ExpectedType>> = {
  list: { inWords: 'a list', accepts: Array.isArray },
  map: { inWords: 'a mapping', accepts: isMapping },
  object: { inWords: 'a mapping', accepts: isMapping },
};

const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);

const scalars: Readonly<Record<string, ExpectedType>> = {
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
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  if (wanted === 'text' && isPlain) return `write it in quotes: "${value}"`;
  if (wanted === 'a whole number' && typeof value === 'string' && /^\d+$/.test(value)) return 'remove the quotes';
  return 'correct it';
}
