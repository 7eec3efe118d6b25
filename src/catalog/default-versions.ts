import type { Component } from './artifacts.ts';

type Versions = Readonly<Record<Component, string>>;

/** The guide's, to the letter: sections 1 (1) and 2 (1), and kubelet as its tree was tagged. */
const guide: Versions = {
  nginx: '1.15.3',
  containerd: '1.3.3',
  runc: '1.0.0-rc10',
  crictl: '1.17.0',
  cniPlugins: '0.8.5',
  kubelet: '1.18.6',
};

/**
 * What a description gets that names no version: the guide's, and for two components the newest pinned one that fits.
 * They do not change with the operating system; where they cannot work, constraints.ts says so.
 *
 * nginx: 1.15.3 lacks proxy_socket_keepalive, which came with 1.15.6.
 *
 * runc: 1.4.3, since
 * - it is the branch that gets fixes; 1.1 and older never got those for three container escapes of 2025
 *   (https://github.com/opencontainers/runc/blob/v1.4.3/CHANGELOG.md, CVE-2025-31133, -52565, -52881);
 * - containerd 1.3.3 drives runc by its command line only. 1.4 still takes every option of it: `kill --all` is
 *   deprecated, `--criu` is gone but passed only where containerd's config has `criu_path`;
 * - cgroup v1, deprecated in 1.4.0, stays until 2029 (https://github.com/opencontainers/runc/issues/5113), and its CI
 *   runs on AlmaLinux 8: kernel 4.18, cgroup v1. No release names a minimum kernel (same issue). With every system call
 *   newer than Linux 4.15 answered ENOSYS, on cgroup v1, create, start, exec, update, pause, kill and delete passed here;
 * - it asks systemd for its version before it uses what 237 lacks (github.com/opencontainers/cgroups, systemd/);
 * - runc.amd64 is static: no glibc.
 */
const standard: Versions = { ...guide, nginx: '1.28.0', runc: '1.4.3' };

/** By the description's `profile`. */
export const defaultVersions: Readonly<Record<'default' | 'guide', Versions>> = { default: standard, guide };
