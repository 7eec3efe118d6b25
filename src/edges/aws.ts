import { env } from 'node:process';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Dispatcher } from 'undici';
import { ask } from './http-client.ts';

// What the SDK says of Node 20 is for whoever updates the SDK, not for whoever runs bake.
env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

/** A client of S3, with the credentials, endpoint and region of AWS's usual variables and files. */
export async function s3Client(client: Dispatcher, environment: Environment): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const ownEndpoint = environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL'];
  return new S3Client({
    ...common(client, regionOf(environment)),
    // Servers other than AWS rarely have a host name for each bucket.
    ...(ownEndpoint === undefined ? {} : { endpoint: ownEndpoint, forcePathStyle: true }),
    // What comes is compared with the lock; and a checksum of the whole does not fit the rest of a file.
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
  });
}

export async function ec2Client(client: Dispatcher, region: string): Promise<EC2Client> {
  const { EC2Client } = await import('@aws-sdk/client-ec2');
  return new EC2Client(common(client, { region }));
}

type Environment = Readonly<Record<string, string | undefined>>;

/** S3 wants a region even where it does not matter; a profile's own comes before the last resort. */
function regionOf(environment: Environment): { region?: string } {
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'];
  if (region !== undefined && region !== '') return { region };
  return environment['AWS_PROFILE'] === undefined ? { region: 'us-east-1' } : {};
}

/** The SDK's own HTTP knows no proxies; what is retried, and for how long, is decided elsewhere. */
function common<T extends object>(client: Dispatcher, region: T) {
  return { ...region, maxAttempts: 1, requestHandler: { handle: handler(client) } };
}

interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function handler(client: Dispatcher) {
  return async (sent: SdkRequest, { abortSignal }: { abortSignal?: unknown } = {}) => {
    const { protocol, hostname, port, path, query = {}, method, headers, body } = sent;
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one ?? ''));
    }
    // The signature is over %20, and URLSearchParams writes +.
    const text = search.toString().replaceAll('+', '%20');
    const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${text === '' ? '' : `?${text}`}`;
    const answer = await ask(url, {
      client,
      method,
      headers,
      body,
      signal: abortSignal instanceof AbortSignal ? abortSignal : new AbortController().signal,
    });
    const { statusCode, headers: answered, body: received } = answer;
    const flat = Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, String(value)]));
    return { response: { statusCode, headers: flat, body: received } };
  };
}
