import type { Component } from '../../catalog/artifacts.ts';
import { findDigest, pinnedVersions } from '../../catalog/find-digest.ts';
import { byVersion } from '../../catalog/satisfies.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

/** Every download is compared with a digest that was known before, unless the description says not to. */
export function* checkDigests({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const { architecture } = cluster;
  for (const [key, name] of components) {
    const { version, digest } = cluster[key];
    const { sha256, trustFirstDownload: trusts = false } = spec[key] ?? {};
    const build = key === 'containerd' ? cluster.containerd.build : 'dynamic';
    const known = findDigest(name, version, architecture, build);
    const what = `${name} ${version} for ${architecture}`;
    const found = { path: [key, trusts ? 'trustFirstDownload' : 'sha256'], at: 'value' } as const;

    if (digest.kind === 'unknown') {
      const path: Path = spec[key]?.version === undefined ? defaultsOf(spec) : [key, 'version'];
      const choice = nearestVersion(version, pinnedVersions(name, architecture, build));
      // Where the other architecture has it, this one has no such file, and check-combinations says so.
      const elsewhere = findDigest(name, version, architecture === 'amd64' ? 'arm64' : 'amd64', build) !== undefined;
      const remedies = [
        ...(elsewhere ? [] : [`add ${key}.sha256`, `add ${key}.trustFirstDownload: true`]),
        ...(choice === undefined ? [] : [`take version ${choice}, which it knows`]),
      ];
      const message = `the catalog has no SHA-256 of ${what}; ${remedies.join(', or ')}`;
      yield { code: 'unknown-digest', path, at: 'value', message };
    }
    if (trusts && sha256 !== undefined) {
      const message = 'sha256 says what the download must be, and this that it may be anything; remove one of the two';
      yield { ...found, code: 'digest-and-trust', message };
    } else if (trusts && known !== undefined) {
      const message = `the catalog knows the SHA-256 of ${what}, and that is what counts; remove this`;
      yield { ...found, code: 'needless-trust', message };
    } else if (sha256 !== undefined && known !== undefined && sha256 !== known) {
      const message = `upstream's file of ${what} has the SHA-256 ${known}; remove this, unless the file is one of your own`;
      yield { ...found, code: 'digest-differs', message };
    }
  }
}

const components = [
  ['kubeNginx', 'nginx'],
  ['containerd', 'containerd'],
  ['runc', 'runc'],
  ['crictl', 'crictl'],
  ['cniPlugins', 'cniPlugins'],
  ['kubelet', 'kubelet'],
] as const satisfies readonly (readonly [string, Component])[];

/** What chose a version that is not written. */
function defaultsOf({ architecture }: Subject['spec']): Path {
  return architecture === undefined ? ['profile'] : ['architecture'];
}

/** The newest of the same minor, else the next newer one, else the newest of all; pinned versions come newest first. */
function nearestVersion(version: string, pinned: readonly string[]): string | undefined {
  const minor = version.split('.').slice(0, 2).join('.');
  const sameMinor = pinned.find((other) => other.startsWith(`${minor}.`));
  return sameMinor ?? pinned.findLast((other) => byVersion(other, version) < 0) ?? pinned[0];
}
