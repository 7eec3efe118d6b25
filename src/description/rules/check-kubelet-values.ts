import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { quote, showValue } from '../../diagnostics/quote.ts';
import { nearMiss } from '../did-you-mean.ts';
import { fieldLimits, itemLimits, mapLimits, type Limit } from './kubelet-limits.ts';
import type { Subject } from './rule.ts';

type Config = Readonly<Record<string, unknown>>;

const code = 'bad-kubelet-value';
const top: Path = ['kubelet', 'config'];

/** Values of the right type with which kubelet still ends at its start, on every node. */
export function* checkKubeletValues({ spec, cluster }: Subject): Iterable<Diagnostic> {
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
  yield* checkAgreement(written, cluster);
}

function* checkLimit({ accepts, wanted }: Limit, field: string, value: unknown, path: Path): Iterable<Diagnostic> {
  if (accepts(value)) return;
  yield { code, path, at: 'value', message: `${showValue(value)} is no value for ${field}; write ${wanted}` };
}

/** Fields that must fit each other; what was written may disagree with a default of bake's. */
function* checkAgreement(written: Config, { kubelet }: Cluster): Iterable<Diagnostic> {
  const { config, flags } = kubelet;
  const at = 'value';
  const field = (...names: string[]): Path => [
    ...top,
    ...names.filter((name) => Object.hasOwn(written, name)).slice(0, 1),
  ];
  const isSet = (name: string, flag: string): boolean =>
    (config[name] ?? '') !== '' || flags.some((other) => other.name === flag);

  const { imageGCLowThresholdPercent: low, imageGCHighThresholdPercent: high } = config;
  if (typeof low === 'number' && typeof high === 'number' && low >= high) {
    const path = field('imageGCLowThresholdPercent', 'imageGCHighThresholdPercent');
    yield {
      code,
      path,
      at,
      message: `imageGCLowThresholdPercent (${low}) must be less than imageGCHighThresholdPercent (${high}); write both`,
    };
  }
  const enforced: unknown[] = Array.isArray(config['enforceNodeAllocatable']) ? config['enforceNodeAllocatable'] : [];
  if (config['cgroupsPerQOS'] === false && enforced.length > 0) {
    const path = field('cgroupsPerQOS', 'enforceNodeAllocatable');
    yield {
      code,
      path,
      at,
      message: 'without cgroupsPerQOS nothing can be enforced; write enforceNodeAllocatable: [] too',
    };
  }
  if (enforced.includes('none') && enforced.length > 1) {
    yield { code, path: field('enforceNodeAllocatable'), at, message: 'none stands alone; remove it, or all others' };
  }
  for (const [kind, name, flag] of [
    ['system-reserved', 'systemReservedCgroup', 'system-reserved-cgroup'],
    ['kube-reserved', 'kubeReservedCgroup', 'kube-reserved-cgroup'],
  ] as const) {
    if (!enforced.includes(kind) || isSet(name, flag)) continue;
    yield {
      code,
      path: field('enforceNodeAllocatable'),
      at,
      message: `${kind} is enforced on a cgroup, and none is named; add ${name}`,
    };
  }
  if (isSet('systemCgroups', 'system-cgroups') && !isSet('cgroupRoot', 'cgroup-root')) {
    yield { code, path: field('systemCgroups'), at, message: 'systemCgroups needs cgroupRoot; add it' };
  }
  const graces = mappingOf(config['evictionSoftGracePeriod']);
  for (const signal of Object.keys(mappingOf(config['evictionSoft']))) {
    if (Object.hasOwn(graces, signal)) continue;
    yield {
      code,
      path: [...top, 'evictionSoft', signal],
      at: 'key',
      message: `a soft threshold waits for a while; add evictionSoftGracePeriod.${signal}`,
    };
  }
  const reserves = [mappingOf(config['systemReserved']), mappingOf(config['kubeReserved'])].some(
    ({ cpu }) => cpu !== undefined,
  );
  if (config['cpuManagerPolicy'] === 'static' && !reserves && !isSet('reservedSystemCPUs', 'reserved-cpus')) {
    yield {
      code,
      path: field('cpuManagerPolicy'),
      at,
      message: 'the static policy needs CPUs set aside for the system; add reservedSystemCPUs, or systemReserved.cpu',
    };
  }
}

function mappingOf(value: unknown): Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Config) : {};
}

function valueAt(config: Config, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((below, step) => mappingOf(below)[step], config);
}
