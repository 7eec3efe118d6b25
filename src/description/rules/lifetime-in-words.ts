import { kubeletFields, kubeletFlags } from '../../catalog/kubelet-options.ts';

/** When kubelet has a field or a flag, where it has it in some version at all: ` (only from 1.22 on); …`. */
export function lifetimeInWords(what: 'field' | 'flag', name: string): string | undefined {
  const known = what === 'field' ? kubeletFields.get(name) : kubeletFlags.get(name);
  if (known === undefined) return undefined;
  const { since, until } = known;
  const span = [since === undefined ? '' : `from ${since} on`, until === undefined ? '' : `up to ${until}`];
  return ` (there is one ${span.filter((part) => part !== '').join(' ')}); remove it, or take another kubelet.version`;
}
