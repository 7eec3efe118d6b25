import { Agent, Pool, ProxyAgent, request, type Dispatcher } from 'undici';
import type { ProxyFor } from './environment-proxies.ts';
import { SourceTrouble } from './source-trouble.ts';

export interface ClientOptions {
  /** Silence after which a connection is given up. */
  readonly stallMs: number;
  /** To whom the connection goes in the end, as node:tls takes it; a proxy is known by what this machine trusts. */
  readonly tls?: object;
  /** To one place at once, and how long one that is not used is kept; else as undici has it. */
  readonly connections?: number;
  readonly keepAliveTimeout?: number;
}

/** Connections to wherever they are asked for, through the proxy that leads there. */
export function httpClient(proxyFor: ProxyFor, { stallMs, tls, ...pool }: ClientOptions): Dispatcher {
  const timing = { headersTimeout: stallMs, bodyTimeout: stallMs };
  const timeout = Math.min(stallMs, 20_000);
  const connect = { ...tls, timeout };
  const agent = new Agent({
    factory: (origin) => {
      const proxy = proxyFor(new URL(origin));
      if (proxy === undefined) return new Pool(origin, { ...pool, connect });
      return new ProxyAgent({
        ...pool,
        uri: proxy,
        // A tunnel for http:// is what proxies refuse, Squid as it is installed among them.
        proxyTunnel: false,
        proxyTls: { timeout },
        requestTls: connect,
        clientFactory: (place, options) => proxyPool(place, { ...options, ...timing }),
      });
    },
  });
  // Said with each request, since the way through a proxy forgets what is said here.
  return agent.compose((dispatch) => (options, handler) => dispatch({ ...timing, ...options }, handler));
}

/**
 * The way to a proxy. When one closes the connection that it is asked for a tunnel on, undici asks again at once and for
 * ever, since its own kind of error counts there as one that passes; and what goes wrong is told as the upstream's.
 */
function proxyPool(place: URL, options: object): Pool {
  const pool = new Pool(place, options);
  const connect: (options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> = pool.connect.bind(pool);
  return Object.assign(pool, {
    connect: (target: Dispatcher.ConnectOptions) =>
      connect(target).catch((error: unknown) => {
        const { message, again } = troubleOf(error);
        throw new SourceTrouble(`the proxy ${place.host}: ${message}`, { again });
      }),
  });
}

export interface HttpRequest {
  readonly client: Dispatcher;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 10;

/**
 * Asks, and goes where the answer leads: releases on GitHub are a redirect.
 * @throws SourceTrouble when there is no answer, or it leads nowhere
 */
export async function ask(url: string, options: HttpRequest): Promise<Dispatcher.ResponseData> {
  const been = [new URL(url).href];
  let { headers = {} } = options;
  for (let from = url; ;) {
    const answer = await askOnce(from, { ...options, headers });
    const next = redirectOf(answer, from, options.method);
    if (next === undefined) return answer;
    // What comes with it nobody wants, but the connection may be of use.
    await answer.body.dump().catch(() => undefined);
    refuseRedirect(next, from, been);
    if (next.origin !== new URL(from).origin) headers = withoutLogin(headers);
    from = next.href;
    been.push(from);
  }
}

/** A login, of whatever name, is for the host that it was made for. */
function withoutLogin(headers: Readonly<Record<string, string>>): Record<string, string> {
  const harmless = ['accept', 'range', 'if-range'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.includes(name)));
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-redirection-3xx */
function redirectOf({ statusCode, headers }: Dispatcher.ResponseData, from: string, method = 'GET'): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || !['GET', 'HEAD'].includes(method)) return undefined;
  const { location } = headers;
  return typeof location === 'string' && URL.canParse(location, from) ? new URL(location, from) : undefined;
}

/** Not from https:// to http:// either: what nobody pinned yet is believed for the certificate's sake. */
function refuseRedirect(next: URL, from: string, been: readonly string[]): void {
  const where = `${next.origin}${next.pathname}`;
  const goesOn = next.protocol === 'https:' || (next.protocol === 'http:' && from.startsWith('http:'));
  if (!goesOn) throw new SourceTrouble(`it redirects to ${next.protocol}//, which is not followed`, { again: false });
  if (been.includes(next.href)) throw new SourceTrouble(`it redirects in a circle, by ${where}`, { again: false });
  if (been.length > MAX_REDIRECTS) {
    throw new SourceTrouble(`it redirects more than ${MAX_REDIRECTS} times, at last to ${where}`, { again: false });
  }
}

async function askOnce(url: string, { client, method = 'GET', headers = {}, body, signal }: HttpRequest) {
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

/**
 * What went wrong with a connection, in a user's words.
 * @param trust what to do where that is a certificate which is not trusted
 */
export function troubleOf(
  error: unknown,
  trust = 'where that is meant to be, name its CA in NODE_EXTRA_CA_CERTS',
): SourceTrouble {
  if (error instanceof SourceTrouble) return error;
  const cause = innermost(error);
  const { code = '', message } = cause as NodeJS.ErrnoException;
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new SourceTrouble(`its certificate is not trusted: ${message} (${code}); ${trust}`, { again: false });
  }
  const [, proxyStatus] = /^Proxy response \((\d+)\)/.exec(message) ?? [];
  if (proxyStatus === '407') return new SourceTrouble('the proxy wants a login (HTTP 407)', { again: false });
  if (proxyStatus !== undefined) return new SourceTrouble(`the proxy answers HTTP ${proxyStatus}`, { again: true });
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
