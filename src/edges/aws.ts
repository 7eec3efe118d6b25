import { env } from 'node:process';
import type { Dispatcher } from 'undici';
import { ask, refusal, troubleOf } from './http-client.ts';
import { SourceTrouble } from './source-trouble.ts';

// What the SDK says of Node 20 is for whoever updates the SDK, not for whoever runs bake.
env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

/** The SDK's own HTTP knows no proxies; what is retried, and for how long, is decided elsewhere. */
export function awsDefaults(client: Dispatcher) {
  return { maxAttempts: 1, requestHandler: { handle: handler(client) } };
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

/** What AWS, or a server like it, answered. */
export function awsTrouble(error: unknown): SourceTrouble {
  const { name, message } = error as Error;
  if (name === 'CredentialsProviderError' || /Could not load credentials|Token is expired/.test(message)) {
    const remedy = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE';
    return new SourceTrouble(`there are no credentials for it: ${message}; ${remedy}`, { again: false });
  }
  const status = statusOf(error);
  if (status === 0) return troubleOf(error);
  const { again, retryAfterMs } = refusal(status, {});
  if (['NoSuchKey', 'NotFound'].includes(name))
    return new SourceTrouble('it has no such object (HTTP 404)', { again, missing: true });
  // Of HEAD there is no more than the number.
  const detail = name === String(status) || message === 'UnknownError' ? '' : `${name}: ${message} `;
  return new SourceTrouble(`it answers ${detail}(HTTP ${status})`, { again, retryAfterMs });
}

/** The HTTP status of the SDK's error, 0 where nobody answered. */
export function statusOf(error: unknown): number {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
}
