import type { Cluster, KubeletFlag } from '../../cluster/cluster.ts';
import { quoteSystemdWord } from '../../templates/quote-systemd.ts';

export function kubeletUnitView({ profile, kubelet, userData }: Cluster): object {
  return {
    guide: profile === 'guide',
    // Up to 1.26, kubelet looks for a role that may pull from Amazon's registry, and waits for the answer before it starts.
    withoutAmazon: profile !== 'guide' && userData.target !== 'ec2',
    directory: kubelet.directory,
    flags: kubelet.flags.map(argument),
  };
}

/** systemd puts in what EnvironmentFile= has; one word stays one word, whatever the value. */
function argument({ name, value }: KubeletFlag): string {
  return value.kind === 'variable' ? `--${name}=\${${value.variable}}` : quoteSystemdWord(`--${name}=${value.text}`);
}
