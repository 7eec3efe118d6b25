import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { mappingOf } from './mapping-of.ts';
import type { Subject } from './rule.ts';

/** Fields of kubelet's configuration that must fit each other; what was written may disagree with a default. */
export function* checkKubeletAgreement({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const written = spec.kubelet?.config;
  if (written === undefined) return;
  const { config, flags } = cluster.kubelet;
  const isSet = (field: string, flag: string): boolean =>
    (config[field] ?? '') !== '' || flags.some(({ name }) => name === flag);
  /** Points at the first of the fields that was written. */
  const bad = (message: string, ...fields: string[]): Diagnostic => {
    const blame = fields.filter((field) => Object.hasOwn(written, field)).slice(0, 1);
    return { code: 'bad-kubelet-value', path: ['kubelet', 'config', ...blame], at: 'value', message };
  };

  const { imageGCLowThresholdPercent: low, imageGCHighThresholdPercent: high } = config;
  if (typeof low === 'number' && typeof high === 'number' && low >= high) {
    const fact = `imageGCLowThresholdPercent (${low}) must be less than imageGCHighThresholdPercent (${high})`;
    yield bad(`${fact}; write both`, 'imageGCLowThresholdPercent', 'imageGCHighThresholdPercent');
  }

  const enforced: unknown[] = Array.isArray(config['enforceNodeAllocatable']) ? config['enforceNodeAllocatable'] : [];
  if (config['cgroupsPerQOS'] === false && enforced.length > 0) {
    const message = 'without cgroupsPerQOS nothing can be enforced; write enforceNodeAllocatable: [] too';
    yield bad(message, 'cgroupsPerQOS', 'enforceNodeAllocatable');
  }
  if (enforced.includes('none') && enforced.length > 1) {
    yield bad('none stands alone; remove it, or all others', 'enforceNodeAllocatable');
  }
  for (const [kind, field, flag] of [
    ['system-reserved', 'systemReservedCgroup', 'system-reserved-cgroup'],
    ['kube-reserved', 'kubeReservedCgroup', 'kube-reserved-cgroup'],
  ] as const) {
    if (!enforced.includes(kind) || isSet(field, flag)) continue;
    yield bad(`${kind} is enforced on a cgroup, and none is named; add ${field}`, 'enforceNodeAllocatable');
  }

  if (isSet('systemCgroups', 'system-cgroups') && !isSet('cgroupRoot', 'cgroup-root')) {
    yield bad('systemCgroups needs cgroupRoot; add it', 'systemCgroups');
  }

  const graces = mappingOf(config['evictionSoftGracePeriod']);
  const ungraced = Object.keys(mappingOf(config['evictionSoft'])).filter((signal) => !Object.hasOwn(graces, signal));
  if (ungraced.length > 0) {
    const message = `a soft threshold waits for a while; add evictionSoftGracePeriod for ${ungraced.join(', ')}`;
    yield bad(message, 'evictionSoft', 'evictionSoftGracePeriod');
  }

  const reserves = ['systemReserved', 'kubeReserved'].some((field) => mappingOf(config[field])['cpu'] !== undefined);
  if (config['cpuManagerPolicy'] === 'static' && !reserves && !isSet('reservedSystemCPUs', 'reserved-cpus')) {
    const message = 'the static policy needs CPUs set aside; add reservedSystemCPUs, or systemReserved.cpu';
    yield bad(message, 'cpuManagerPolicy');
  }
}
