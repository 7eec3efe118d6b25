import { setMaxListeners } from 'node:events';
import { Agent, request, type Dispatcher } from 'undici';
import * as z from 'zod';
import { Failure } from '../../diagnostics/failure.ts';
import { refusal, troubleOf } from '../http-client.ts';
import { SourceTrouble } from '../source-trouble.ts';
import type { Connection } from './read-kubeconfig.ts';

/** What an apiserver answered. */
export interface Answer {
  /** 2xx, or one of those that mean something to whoever asks: 404, 409, 410. */
  readonly status: number;
  readonly body: unknown;
}

type Method = 'GET' | 'POST' | 'PUT';

/** etcd takes objects of 1.5 MiB. */
const MAX_LINE = 8 << 20;

/** An apiserver, over connections that are kept. */
export class KubernetesApi {
  readonly #connection: Connection;
  readonly #client: Dispatcher;
  readonly #signal: AbortSignal;
  readonly #stallMs: number;

  /** @param stallMs silence after which a request is given up */
  constructor(connection: Connection, { signal, stallMs = 20_000 }: { signal: AbortSignal; stallMs?: number }) {
    this.#connection = connection;
    this.#signal = signal;
    // Each request listens to it, and more than Node's limit of ten run at once.
    setMaxListeners(0, signal);
    this.#stallMs = stallMs;
    this.#client = new Agent({
      connections: 16,
      keepAliveTimeout: 30_000,
      headersTimeout: stallMs,
      connect: { ...connection.tls, timeout: stallMs },
    });
  }

  /**
   * @param path from /api or /apis on
   * @throws SourceTrouble what may be over in a moment, or is of what was sent only: no connection, 429, 5xx, 422
   * @throws Failure `cluster-refuses`, `cluster-untrusted`
   */
  async call(method: Method, path: string, body?: object): Promise<Answer> {
    try {
      const answer = await this.#request(method, path, { body, bodyTimeout: this.#stallMs });
      return this.#read(answer, await answer.body.text());
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /**
   * The lines of an answer that goes on and on; those that come together come at once, and none once it has begun.
   * @param lengthMs how long the apiserver was asked to go on; silence is given up after that and the usual time
   * @param signal ends it, whatever the apiserver does
   * @throws as call(); SourceTrouble with `missing` where there is no such thing (any longer)
   */
  async *lines(
    path: string,
    { lengthMs, signal }: { readonly lengthMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<string[]> {
    const answer = await this.#begin(path, lengthMs);
    // Its end is no news to whoever reads it, and nobody may.
    const body = answer.body.on('error', () => undefined);
    const end = (): void => void body.destroy();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      yield [];
      let rest = '';
      for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > MAX_LINE) throw new SourceTrouble('it sends a line without end', { again: true });
        if (lines.length > 0) yield lines;
      }
    } catch (error) {
      if (!signal.aborted) throw this.#explain(error);
      this.#signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', end);
      body.destroy();
    }
  }

  async #begin(path: string, lengthMs: number): Promise<Dispatcher.ResponseData> {
    try {
      const answer = await this.#request('GET', path, { bodyTimeout: lengthMs + this.#stallMs });
      if (answer.statusCode < 300) return answer;
      this.#read(answer, await answer.body.text());
      throw refusal(answer.statusCode, answer.headers);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async #request(
    method: Method,
    path: string,
    { body, bodyTimeout }: { readonly body?: object | undefined; readonly bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> {
    const { server, token } = this.#connection;
    const bearer = token();
    return request(`${server}${path}`, {
      dispatcher: this.#client,
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'bake',
        ...(body && { 'content-type': 'application/json' }),
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      bodyTimeout,
      signal: this.#signal,
    });
  }

  #read({ statusCode, headers }: Dispatcher.ResponseData, text: string): Answer {
    if (statusCode < 300 || [404, 409, 410].includes(statusCode)) return { status: statusCode, body: parse(text) };
    if (statusCode >= 500 || statusCode === 408 || statusCode === 429) throw refusal(statusCode, headers);
    // Of the one object that was sent, and not of who sends it.
    if ([400, 413, 422].includes(statusCode)) {
      throw new SourceTrouble(`it refuses (HTTP ${statusCode}): ${messageOf(text)}`, { again: true });
    }
    const remedy =
      statusCode === 401
        ? 'renew the login in the kubeconfig'
        : 'bake lists and approves certificatesigningrequests, and keeps a Lease with --leader-elect';
    throw new Failure(
      'cluster-refuses',
      `${this.#connection.server} refuses (HTTP ${statusCode}): ${messageOf(text)}; ${remedy}`,
    );
  }

  #explain(error: unknown): Error {
    this.#signal.throwIfAborted();
    if (error instanceof Failure) return error;
    const trouble = troubleOf(error, "the kubeconfig's certificate-authority must be the one that signs for it");
    if (trouble.again) return trouble;
    return new Failure('cluster-untrusted', `${this.#connection.server}: ${trouble.message}`);
  }

  get server(): string {
    return this.#connection.server;
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SourceTrouble('it answers with something else than JSON', { again: true });
  }
}

/** What a Status says: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
function messageOf(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    return 'no reason given';
  }
}
