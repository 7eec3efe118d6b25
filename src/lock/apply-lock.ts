import type { Cluster, Component, Digest } from '../cluster/cluster.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { entryOf, findLacks, wantedSandboxImage } from './compare-lock.ts';
import { digestOf, type Lock } from './lock.ts';

/**
 * A cluster whose downloads are those of its lock: the lock's digests take the place of the catalog's.
 * @param sha256 of the lock's own text
 * @throws Failure `lock-stale` when the lock lacks something
 */
export function applyLock(cluster: Cluster, lock: Lock, sha256: string): Cluster {
  refuseStale(findLacks(cluster, lock));
  const { image } = cluster;
  const pinned = <T extends Component>(component: T, name: string): T => {
    return { ...component, digest: digestIn(lock, name, component.digest) };
  };
  const { sandboxImageArchive: archive } = cluster.containerd;
  const { sandboxImage: tagged } = cluster.containerd;
  // The digest counts, and the tag tells people what it is. A lock may have one that is needed no more.
  const locked = wantedSandboxImage(cluster) === undefined ? undefined : lock.sandboxImage;
  const sandboxImage = locked === undefined ? tagged : `${tagged}@${locked.digest}`;
  const flags = cluster.kubelet.flags.map((flag) =>
    flag.value.kind === 'text' && flag.value.text === tagged
      ? { ...flag, value: { kind: 'text' as const, text: sandboxImage } }
      : flag,
  );
  const base = entryOf(lock, 'base-image');
  return {
    ...cluster,
    lock: { kind: 'locked', sha256 },
    kubeNginx: pinned(cluster.kubeNginx, 'nginx.tar.gz'),
    containerd: {
      ...pinned(cluster.containerd, 'containerd.tar.gz'),
      sandboxImage,
      sandboxImageArchive:
        archive.kind === 'none' ? archive : { ...archive, digest: digestIn(lock, 'sandbox-image.tar', archive.digest) },
    },
    runc: pinned(cluster.runc, 'runc'),
    crictl: pinned(cluster.crictl, 'crictl.tar.gz'),
    cniPlugins: pinned(cluster.cniPlugins, 'cni-plugins.tgz'),
    kubelet: { ...pinned(cluster.kubelet, 'kubelet'), flags },
    image: {
      ...image,
      qemu: {
        ...image.qemu,
        baseImage: base === undefined ? image.qemu.baseImage : { url: base.url, checksum: digestOf(base) },
      },
      amazonEbs: {
        ...image.amazonEbs,
        ami: lock.ami === undefined ? image.amazonEbs.ami : { kind: 'id', id: lock.ami.id },
      },
    },
  };
}

function digestIn(lock: Lock, name: string, otherwise: Digest): Digest {
  const entry = entryOf(lock, name);
  return entry?.sha256 === undefined ? otherwise : { kind: 'sha256', hex: entry.sha256, by: 'lock' };
}

/** @throws Failure `lock-stale` when there is a difference */
export function refuseStale(differences: readonly string[]): void {
  if (differences.length === 0) return;
  const list = differences.map((difference) => `\n  ${difference}`).join('');
  const message = `bake.lock is not what the description wants; run \`bake lock\`:${list}`;
  throw new Failure('lock-stale', message, exitCodes.description);
}
