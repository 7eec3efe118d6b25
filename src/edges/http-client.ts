import { Agent, EnvHttpProxyAgent, interceptors, request, type Dispatcher } from 'undici';
import { Failure } from '../diagnostics/failure.ts';
import { SourceTrouble } from './source-trouble.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Connections to wherever the environment says (HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case); redirects are
 * followed, since releases on GitHub are one.
 * @param stallMs silence after which a connection is given up
 * @throws Failure `proxy-unusable`
 */
export function httpClient(env: Environment, stallMs: number): Dispatcher {
  const timing = { connect: { timeout: Math.min(stallMs, 20_000) }, headersTimeout: stallMs, bodyTimeout: stallMs };
  const httpProxy = proxyOf(env, 'http_proxy');
  const httpsProxy = proxyOf(env, 'https_proxy') ?? httpProxy;
  const agent =
    httpProxy === undefined && httpsProxy === undefined
      ? new Agent(timing)
      : new EnvHttpProxyAgent({
          ...timing,
          ...(httpProxy === undefined ? {} : { httpProxy }),
          ...(httpsProxy === undefined ? {} : { httpsProxy }),
          noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
        });
  return agent.compose(interceptors.redirect({ maxRedirections: 10 }));
}

function proxyOf(env: Environment, name: string): string | undefined {
  const written = env[name] ?? env[name.toUpperCase()];
  if (written === undefined || written === '') return undefined;
  // curl, too, takes host:port for http://host:port.
  const proxy = written.includes('://') ? written : `http://${written}`;
  if (URL.canParse(proxy) && ['http:', 'https:'].includes(new URL(proxy).protocol)) return proxy;
  // It may hold a password, so it is not shown.
  const message = `${name.toUpperCase()} is no address of an HTTP proxy; write it as http://HOST:PORT`;
  throw new Failure('proxy-unusable', message);
}

export interface HttpRequest {
  readonly client: Dispatcher;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** @throws SourceTrouble when there is no answer */
export async function ask(url: string, { client, method = 'GET', headers = {}, body, signal }: HttpRequest) {
  try {
    return await request(url, {
      dispatcher: client,
      method: method,
      body: (body ?? null) as NonNullable<Dispatcher.DispatchOptions['body']> | null,
      // A digest is of the file as it lies there, not of how it is packed on the way.
      headers: { 'user-agent': 'bake', 'accept-encoding': 'identity', ...headers },
      signal,
      // Undici's 64 KiB stop and start a connection for every chunk.
      highWaterMark: 4 << 20,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw troubleOf(error);
  }
}

/** The bytes of an answer. @throws SourceTrouble where the connection ends too early */
export async function* reading(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw troubleOf(error);
  }
}

/** For an answer that is not the one hoped for. */
export function refusal(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): SourceTrouble {
  const words: Readonly<Record<number, string>> = {
    401: 'it wants a login (HTTP 401)',
    403: 'it refuses (HTTP 403)',
    404: 'it has no such file (HTTP 404)',
    407: 'the proxy wants a login (HTTP 407)',
    429: 'it is asked too often (HTTP 429)',
  };
  const again = status >= 500 || status === 408 || status === 425 || status === 429;
  return new SourceTrouble(words[status] ?? `it answers HTTP ${status}`, {
    again,
    missing: status === 404 || status === 410,
    retryAfterMs: again ? retryAfter(String(headers['retry-after'] ?? '')) : 0,
  });
}

/** In milliseconds, of seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfter(value: string): number {
  const pause = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(pause) ? 0 : Math.max(0, pause);
}

/** What went wrong with a connection, in a user's words. */
export function troubleOf(error: unknown): SourceTrouble {
  if (error instanceof SourceTrouble) return error;
  const cause = innermost(error);
  const { code = '', message } = cause as NodeJS.ErrnoException;
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    const remedy = 'where that is meant to be, name its CA in NODE_EXTRA_CA_CERTS';
    return new SourceTrouble(`its certificate is not trusted: ${message} (${code}); ${remedy}`, { again: false });
  }
  if (message.includes('Proxy response') && message.includes('407')) {
    return new SourceTrouble('the proxy wants a login (HTTP 407)', { again: false });
  }
  const words: Readonly<Record<string, string>> = {
    UND_ERR_BODY_TIMEOUT: 'it went silent in the middle',
    UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'it cannot be reached (no answer)',
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'it sends another number of bytes than it says',
    ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
    ENOTFOUND: 'there is no such host (ENOTFOUND)',
    EAI_AGAIN: 'its name cannot be looked up now (EAI_AGAIN)',
    ECONNRESET: 'the connection broke (ECONNRESET)',
    UND_ERR_SOCKET: 'the connection broke',
  };
  // Who is asked for a name and knows that there is none will not know better in a second; EAI_AGAIN is another thing.
  const again = code !== 'ENOTFOUND';
  return new SourceTrouble(words[code] ?? `${message}${code === '' ? '' : ` (${code})`}`, { again });
}

function innermost(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
