import type { CodeEntry } from './code-entry.ts';

/** Values that cannot be what their key asks for, each for itself. */
export const shapeCodes = {
  'unknown-key': {
    severity: 'error',
    summary: 'a key means nothing here',
    story: `bake refuses keys that it does not know: a misspelt one would otherwise be left out in silence, and its
default would be in force. The message names the key that was probably meant, or where this one belongs. With the
schema line that \`bake init\` writes, editors complete the keys.`,
  },
  'missing-key': {
    severity: 'error',
    summary: 'a required key is missing',
    story: `bake has no default for this key, since every cluster has its own value. The caret points at the mapping
that lacks it.`,
  },
  'empty-value': {
    severity: 'error',
    summary: 'a key has no value',
    story: `A key with nothing after its colon has the value null, and so has one whose lines below are not indented, or
all commented out. Write a value, or remove the key to get the default.`,
  },
  'wrong-type': {
    severity: 'error',
    summary: 'a value has the wrong type',
    story: `YAML decides the type by how a value is written: 1.18 is a number, true a truth value, "1.18" text, - starts
a list. Where text is wanted and it looks like something else, put it in quotes.`,
  },
  'bad-choice': {
    severity: 'error',
    summary: 'a value is none of those that are possible here',
    story: `This key takes one of a few words, which the message names.`,
  },
  'mangled-number': {
    severity: 'error',
    summary: 'YAML reads a number as another than the one that stands there',
    story: `To YAML, 1.30 is the number 1.3, 0755 is 755, and 0x10 is 16; what was written is lost. A version or a file
mode is text: put it in quotes. If a number is meant, write it as YAML reads it.`,
  },
  'out-of-range': {
    severity: 'error',
    summary: 'a number is too small or too large, or a list is empty',
    story: `The limit is the one of whatever takes the value: a TCP port, a VLAN id, the MTU of an interface.`,
  },
  'bad-text': {
    severity: 'error',
    summary: 'a text cannot be used here',
    story: `This text ends up on one line of a configuration file, which cannot hold an empty text, line breaks or
control characters there; or it must have a form that the message describes.`,
  },
  'bad-dns-name': {
    severity: 'error',
    summary: 'a name is no DNS name',
    story: `Kubernetes and DNS take lower-case letters, digits and dashes, in labels of 1 to 63 characters that start and
end with a letter or digit, with dots between them (RFC 1123). The name of a node has 63 characters at most as a whole,
since kubelet makes it the value of the label kubernetes.io/hostname.`,
  },
  'bad-address': {
    severity: 'error',
    summary: 'a value is no IP address',
    story: `Addresses are written as 192.168.31.44 or fd00::44. Leading zeros (010.1.1.1) are refused, since some
programs read them as octal; short forms (127.1), zones (fe80::1%eth0) and IPv4 inside IPv6 (::ffff:10.0.0.1) too. The
address of an interface has the prefix of its network: 192.168.31.44/24.`,
  },
  'bad-host': {
    severity: 'error',
    summary: 'a value is neither an IP address nor a DNS name',
    story: `A host is written as 192.168.31.44, fd00::44 or time.example.org, without a scheme, a port or a path. Digits
and dots alone are taken as a mistyped address.`,
  },
  'bad-cidr': {
    severity: 'error',
    summary: 'a value is no network',
    story: `A network is written as its first address and its prefix: 172.30.0.0/16. Where bits after the prefix are set
(172.30.1.0/16), it is unclear whether the address or the prefix is wrong.`,
  },
  'bad-endpoint': {
    severity: 'error',
    summary: 'a value is no host:port',
    story: `Write 192.168.31.44:6443, apiserver.example.com:6443 or [fd00::44]:6443: IPv6 in brackets, no https:// before
it, and the port always there.`,
  },
  'bad-version': {
    severity: 'error',
    summary: 'a value is no release version',
    story: `Downloads are named after full versions, so 1.18 is not enough: write 1.18.6, without a v before it.`,
  },
  'bad-duration': {
    severity: 'error',
    summary: 'a value is no duration',
    story: `Durations are written as 30s, 10m or 1h30m, each unit once and the longest first, as both Kubernetes and nginx
read them. nginx counts fail_timeout in whole seconds.`,
  },
  'bad-path': {
    severity: 'error',
    summary: 'a value is no path that can be used here',
    story: `Folders on the nodes end up in systemd units, TOML and shell, so they are absolute and of plain characters.
Files are named relative to the description; their content does not belong into it.`,
  },
  'bad-sha256': {
    severity: 'error',
    summary: 'a value is no SHA-256',
    story: `A SHA-256 has 64 hexadecimal digits, here in lower case, as \`sha256sum FILE\` prints them. 40 digits are
SHA-1, 128 are SHA-512.`,
  },
  'bad-mirror': {
    severity: 'error',
    summary: 'a value is no address of a mirror',
    story: `A mirror is a folder that holds HOST/PATH of what it mirrors: file:///srv/mirror holds
/srv/mirror/dl.k8s.io/release/v1.18.6/bin/linux/amd64/kubelet. It is reached by https://, by file:/// (an absolute path)
or by s3://BUCKET/PREFIX; http:// will do for what bake.lock pins. Names and passwords do not belong into a description:
S3 takes them from AWS's usual environment variables and files.`,
  },
  'bad-mac': {
    severity: 'error',
    summary: 'a value is no MAC address',
    story: `Write six pairs of hexadecimal digits in lower case with colons between them: 52:54:00:12:34:56. \`ip link\`
prints them so.`,
  },
  'bad-image-reference': {
    severity: 'error',
    summary: 'a value is no name of a container image',
    story: `Write registry/repository:tag, such as registry.k8s.io/pause:3.2: no https:// before it, and the repository in
lower case. containerd could not pull anything else, and without the pause image no pod starts.`,
  },
  'bad-balance': {
    severity: 'error',
    summary: 'a value is no load balancing directive of nginx',
    story: `kube-nginx balances with random two least_conn, random, least_conn or hash KEY consistent, written without a
semicolon. nginx would not start with anything else (least_time is part of the commercial nginx only).
https://nginx.org/en/docs/stream/ngx_stream_upstream_module.html`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
