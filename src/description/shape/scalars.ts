import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import semver from 'semver';
import { z } from 'zod';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';

/** A string with a form of its own; `error` is the fact and the remedy, `code` what the mistake is called. */
function text(code: DiagnosticCode, error: string, accepts: (value: string) => boolean) {
  return z.string().refine(accepts, { error, params: { code } });
}

export const freeText = text('bad-text', 'must be one line of text: not empty, no control characters', isOneLine);

function isOneLine(value: string): boolean {
  return value !== '' && !/[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u.test(value);
}

/** Text of any length, lines and all; only what UTF-8 and C strings cannot carry is left out. */
export const longText = text(
  'bad-text',
  'must be text without NUL and without halves of characters',
  (value) => !value.includes('\0') && !/\p{Cs}/u.test(value),
);

/** RFC 1123: what DNS takes as the name of a host, and Kubernetes as the name of almost anything. */
function isDnsName(value: string): boolean {
  return value.length <= 253 && value.split('.').every((label) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(label));
}

export const dnsName = text(
  'bad-dns-name',
  'must be a DNS name: lower-case letters, digits and dashes, labels of at most 63 characters between dots',
  isDnsName,
);

/** kubelet puts the name on its node as the label kubernetes.io/hostname, and a label's value has 63 characters. */
export const nodeName = text(
  'bad-dns-name',
  'must be a DNS name of at most 63 characters: lower-case letters, digits, dashes and dots',
  (value) => isDnsName(value) && value.length <= 63,
);

/** net.isIP guards ipaddr.js, which also takes `010.1.1.1` and `127.1`. */
function isAddress(value: string): boolean {
  const isMapped = (): boolean => ipaddr.IPv6.isValid(value) && ipaddr.IPv6.parse(value).isIPv4MappedAddress();
  return isIP(value) === 4 || (isIP(value) === 6 && !value.includes('%') && !isMapped());
}

export const ipAddress = text('bad-address', 'must be an IP address, such as 192.168.31.44 or fd00::44', isAddress);

export const host = text(
  'bad-host',
  'must be an IP address or a DNS name, such as 192.168.31.44 or time.example.org',
  isHost,
);

/** 1.2.3 or 010.1.1.1 would be a DNS name by its letters, and is a mistyped address. */
function isHost(value: string): boolean {
  return isAddress(value) || (isDnsName(value) && !/^[0-9.]+$/.test(value));
}

export const cidr = text(
  'bad-cidr',
  'must be a network as address/prefix with no host bits set, such as 172.30.0.0/16',
  isNetwork,
);

function isNetwork(value: string): boolean {
  if (!isInterfaceAddress(value)) return false;
  const [address] = ipaddr.parseCIDR(value);
  const { IPv4, IPv6 } = ipaddr;
  const network = (address.kind() === 'ipv4' ? IPv4 : IPv6).networkAddressFromCIDR(value);
  return network.toNormalizedString() === address.toNormalizedString();
}

export const interfaceAddress = text(
  'bad-address',
  'must be an address with the prefix of its network, such as 192.168.31.44/24',
  isInterfaceAddress,
);

function isInterfaceAddress(value: string): boolean {
  const [, address = '', prefix] = /^([^/]+)\/([1-9][0-9]{0,2})$/.exec(value) ?? [];
  return isAddress(address) && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}

/** `host:port`; IPv6 in brackets, as in a URL (RFC 3986, 3.2.2). */
export const endpoint = text(
  'bad-endpoint',
  'must be host:port, such as 192.168.31.44:6443 or [fd00::44]:6443',
  (value) => parseEndpoint(value) !== undefined,
);

export function parseEndpoint(value: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([1-9][0-9]{0,4})$/.exec(value);
  if (match === null) return undefined;
  const [, v6, plain = '', digits] = match;
  const port = Number(digits);
  const valid = v6 === undefined ? isHost(plain) : isIP(v6) === 6 && isAddress(v6);
  return valid && port <= 65_535 ? { host: v6 ?? plain, port } : undefined;
}

export const version = text(
  'bad-version',
  'must be a full release version without a leading v, such as 1.18.6',
  (value) => semver.valid(value) === value,
);

/** What both Go's time.ParseDuration and nginx read: each unit once, the longest first. */
export const duration = text(
  'bad-duration',
  'must be a duration, such as 30s, 10m or 1h30m',
  (value) => durationSeconds(value) !== undefined,
);

/** nginx counts fail_timeout in whole seconds. */
export const wholeSeconds = text(
  'bad-duration',
  'must be a duration of whole seconds, such as 30s or 1m',
  (value) => durationSeconds(value) !== undefined && !value.includes('ms'),
);

/** Go counts nanoseconds in 64 bits, which is 292 years. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** Seconds of `1h30m`; undefined where it is no duration, none at all, or more than Go can count. */
export function durationSeconds(value: string): number | undefined {
  const match = /^(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/.exec(value);
  if (match === null) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0', milliseconds = '0'] = match;
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(milliseconds) / 1000;
  return total > 0 && total < MAX_SECONDS ? total : undefined;
}

/** Folders end up in units, TOML and shell; none of those needs a blank or a quote in a path. */
export const folder = text(
  'bad-path',
  'must be an absolute path of letters, digits, dots, dashes and underscores, with no slash at its end',
  (value) => /^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(value),
);

export const fileName = text('bad-path', "must be a file's name, relative to the description", isOneLine);

export const mirror = text(
  'bad-mirror',
  'must be an https://, http://, file:/// or s3://BUCKET address with no user name, ? or # in it, such as https://mirror.example.org/files',
  isMirror,
);

function isMirror(value: string): boolean {
  if (!isOneLine(value) || !URL.canParse(value)) return false;
  const { protocol, host, pathname, username, password, search, hash } = new URL(value);
  if (username !== '' || password !== '' || search !== '' || hash !== '') return false;
  if (protocol === 'file:') return host === '' && pathname !== '/';
  return ['https:', 'http:', 's3:'].includes(protocol) && host !== '';
}

export const sha256 = text('bad-sha256', 'must be a SHA-256: 64 lower-case hexadecimal digits', (value) =>
  /^[0-9a-f]{64}$/.test(value),
);

export const macAddress = text('bad-mac', 'must be a MAC address in lower case, such as 52:54:00:12:34:56', (value) =>
  /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(value),
);

/** https://github.com/distribution/reference/blob/v0.6.0/reference.go: host and port, path, tag, digest. */
const IMAGE_REFERENCE = new RegExp(
  '^([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*' +
    '(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$',
);

export const imageReference = text(
  'bad-image-reference',
  'must be the name of a container image, such as registry.k8s.io/pause:3.2',
  (value) => IMAGE_REFERENCE.test(value),
);

/** https://nginx.org/en/docs/stream/ngx_stream_upstream_module.html, without what only the commercial one has. */
export const balance = text(
  'bad-balance',
  'must be a load balancing directive of nginx: random two least_conn, random, least_conn or hash KEY consistent',
  (value) => /^(least_conn|random( two( least_conn)?)?|hash [A-Za-z0-9_$.:-]+( consistent)?)$/.test(value),
);
