import type { CodeEntry } from './code-entry.ts';

/** Downloads: what pins them, where they come from, where they are kept. */
export const downloadCodes = {
  'lock-stale': {
    severity: 'error',
    summary: 'bake.lock is not what the description wants',
    story: `bake.lock pins every download of a description. When the description names another version, mirror or image,
its lock no longer says what is wanted, and going on with either would be a guess. \`bake lock\` brings it up to date: it
keeps every entry that is still right. \`bake lock --check\` only looks, for CI.`,
  },
  'lock-missing': {
    severity: 'error',
    summary: 'there is no bake.lock to check a bundle by',
    story: `A bundle of \`bake fetch --pack\` holds the files of the bake.lock that it was packed by, and each of them is
compared with that lock when it is taken in. Description and bake.lock go along with the bundle; behind an air gap bake
cannot make the lock anew, for which it would have to ask upstream.`,
  },
  'lock-damaged': {
    severity: 'error',
    summary: 'bake.lock cannot be read',
    story: `bake writes bake.lock in one step and never half of it, so something else changed it: a merge, mostly. Take
one side of the merge and run \`bake lock\`, or remove the file and lock anew; what changed shows in version control.`,
  },
  'lock-failed': {
    severity: 'error',
    summary: 'some downloads could not be locked',
    story: `A lock says URL, size and digest of each download, so each has to be asked for once; a file whose digest
nobody published is downloaded. The message names each place that was asked and its answer. Nothing is written until all
of it is known. Without a way to the internet, name a mirror under downloads.mirrors, and give the pause image as a
tarball (containerd.sandboxImageArchive) or by its digest.`,
  },
  'fetch-failed': {
    severity: 'error',
    summary: 'some downloads did not come, or are not the files that were meant',
    story: `Each file was looked for in the mirrors, in their order, and at its upstream; what broke off or was answered by
a passing trouble was tried five times. The message names each place and why the file is not from there. Redirects are
followed, ten at most, and never from https:// to http://. A file with another digest than the lock's is never kept:
somebody may have changed it on the way or at its source. What came right stays in the cache, and what came in
part is continued by the next run.`,
  },
  'cache-unusable': {
    severity: 'error',
    summary: 'the cache of downloads cannot be used',
    story: `Downloads lie in bake's cache, $XDG_CACHE_HOME/bake or ~/.cache/bake, each under its digest. The system
refused to read or write there; its own words say why. Everything in it can be downloaded again: it may be removed.`,
  },
  'bundle-refused': {
    severity: 'error',
    summary: 'a bundle is not what bake.lock names',
    story: `A bundle of \`bake fetch --pack\` holds the files of one bake.lock, each under its digest, and nothing else.
This one is cut short, lacks a file, or has something in it that the lock does not name or whose digest is another. What
was right in it is in the cache. Pack it again, with the bake.lock that is used here.`,
  },
  'proxy-unusable': {
    severity: 'error',
    summary: 'the address of a proxy cannot be read',
    story: `http:// goes by HTTP_PROXY and https:// by HTTPS_PROXY, except to hosts that NO_PROXY names; their lower-case
names count first. A proxy is written as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
