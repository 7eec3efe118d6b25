import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { ask, refusal, troubleOf } from './http-client.ts';
import { SourceTrouble } from './source-trouble.ts';

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Image {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/**
 * The digest that a container image has in its registry now: of its index where there is one, else of its manifest.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
 * @throws SourceTrouble
 */
export async function imageDigest(
  client: Dispatcher,
  reference: string,
  architecture: string,
  signal: AbortSignal,
): Promise<string> {
  const image = parseReference(reference);
  const url = manifestUrl(image);
  let answer = await ask(url, { client, headers: { accept: MANIFESTS }, signal });
  if (answer.statusCode === 401) {
    await answer.body.dump();
    const token = await anonymousToken(client, String(answer.headers['www-authenticate'] ?? ''), signal);
    const headers = { accept: MANIFESTS, authorization: `Bearer ${token}` };
    answer = await ask(url, { client, headers, signal });
  }
  const bytes = await bytesOf(answer, signal);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const said = answer.headers['docker-content-digest'];
  if (said !== undefined && said !== digest) {
    throw new SourceTrouble(`it says ${String(said)} of a manifest that has ${digest}`, { again: true });
  }
  refuseOtherArchitectures(parseJson(bytes), architecture);
  return digest;
}

/** Where the manifest of an image is asked for. */
export function manifestUrlOf(reference: string): string {
  return manifestUrl(parseReference(reference));
}

/** As docker reads names: https://github.com/distribution/reference/blob/v0.6.0/normalize.go */
function parseReference(reference: string): Image {
  const [, first = '', rest = ''] = /^([^/]+)\/(.+)$/.exec(reference) ?? [];
  const hasRegistry = first.includes('.') || first.includes(':') || first === 'localhost';
  const registry = hasRegistry ? first : 'docker.io';
  const [, path = '', tag = 'latest'] = /^(.*?)(?::([^:/]+))?$/.exec(hasRegistry ? rest : reference) ?? [];
  if (registry !== 'docker.io') return { registry, repository: path, tag };
  return { registry: 'registry-1.docker.io', repository: path.includes('/') ? path : `library/${path}`, tag };
}

/** Plain HTTP on this very machine only, as containerd has it. */
function manifestUrl({ registry, repository, tag }: Image): string {
  const scheme = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(registry) ? 'http' : 'https';
  return `${scheme}://${registry}/v2/${repository}/manifests/${tag}`;
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
async function anonymousToken(client: Dispatcher, challenge: string, signal: AbortSignal): Promise<string> {
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const { realm, service, scope } = parameters;
  if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
    throw new SourceTrouble('it wants a login (HTTP 401)', { again: false });
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  if (scope !== undefined) url.searchParams.set('scope', scope);
  const answer = await ask(url.href, { client, signal });
  const { token, access_token: accessToken } = parseJson(await bytesOf(answer, signal));
  const found = token ?? accessToken;
  if (typeof found !== 'string') throw new SourceTrouble('it gives no token to strangers', { again: false });
  return found;
}

async function bytesOf(answer: Dispatcher.ResponseData, signal: AbortSignal): Promise<Buffer> {
  const { statusCode, headers, body } = answer;
  try {
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode === 200) return bytes;
  } catch (error) {
    signal.throwIfAborted();
    throw troubleOf(error);
  }
  throw refusal(statusCode, headers);
}

function parseJson(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new SourceTrouble('it answers something that is no JSON object', { again: true });
}

/** An index says for which processors it has images; a single manifest does not. */
function refuseOtherArchitectures({ manifests }: Record<string, unknown>, architecture: string): void {
  if (!Array.isArray(manifests)) return;
  const platforms = (manifests as { platform?: { os?: string; architecture?: string } }[]).map((one) => one.platform);
  if (platforms.some((one) => one === undefined || (one.os === 'linux' && one.architecture === architecture))) return;
  const has = platforms.map((one) => `${String(one?.os)}/${String(one?.architecture)}`).join(', ');
  throw new SourceTrouble(`it has no linux/${architecture} of this image, only ${has}`, { again: false });
}
