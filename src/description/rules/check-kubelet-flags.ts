import { findKubeletFlag, kubeletFlagNames, kubeletMinorOf, type KubeletMinor } from '../../catalog/kubelet-options.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { quote } from '../../diagnostics/quote.ts';
import { nearMiss } from '../did-you-mean.ts';
import { lifetimeInWords } from './lifetime-in-words.ts';
import type { Subject } from './rule.ts';

const own = 'other files go by it; remove it';

/** Flags that something else depends on, and what to write in their place. */
const reserved: Readonly<Record<string, string>> = {
  address: "it is each node's own; write nodes[].address",
  'bootstrap-kubeconfig': own,
  'cert-dir': own,
  'cgroup-driver': 'containerd must have the same; write kubelet.cgroupDriver',
  config: own,
  'container-runtime': own,
  'container-runtime-endpoint': own,
  'hostname-override': "it is each node's own; write nodes[].name",
  kubeconfig: own,
  'node-ip': "it is each node's own; write nodes[].address",
  'pod-infra-container-image': 'containerd must have the same; write containerd.sandboxImage',
  'root-dir': 'write kubelet.directory',
};

/** With a flag that it does not know, kubelet does not start on any node. */
export function* checkKubeletFlags({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const minor = kubeletMinorOf(cluster.kubelet.version);
  for (const name of Object.keys(spec.kubelet?.flags ?? {})) {
    const found = { path: ['kubelet', 'flags', name], at: 'key' } as const;
    const remedy = Object.hasOwn(reserved, name) ? reserved[name] : undefined;
    if (remedy !== undefined) {
      yield { ...found, code: 'reserved-kubelet-flag', message: `${name} cannot be set here: ${remedy}` };
    } else if (minor !== undefined && findKubeletFlag(minor, name) === undefined) {
      yield { ...found, code: 'unknown-kubelet-flag', message: explainUnknown(name, minor) };
    }
  }
}

function explainUnknown(name: string, minor: KubeletMinor): string {
  const fact = `kubelet ${minor} has no flag ${quote(name)}`;
  const inWords = lifetimeInWords('flag', name);
  if (inWords !== undefined) return `${fact}${inWords}`;
  const known = kubeletFlagNames(minor);
  const bare = name.replace(/^-+/, '');
  if (known.includes(bare)) return `a flag is written without dashes here; write ${bare}`;
  const meant = nearMiss(bare, known);
  return meant === undefined ? `${fact}; remove it, or correct its name` : `${fact}; did you mean ${meant}?`;
}
