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

/** An apiserver, over connections that are kept. */
export class KubernetesApi {
  readonly #connection: Connection;
  readonly #client: Dispatcher;
  readonly #signal: AbortSignal;

  /** @param stallMs silence after which a request is given up */
  constructor(connection: Connection, { signal, stallMs = 20_000 }: { signal: AbortSignal; stallMs?: number }) {
    this.#connection = connection;
    this.#signal = signal;
    this.#client = new Agent({
      connections: 16,
      keepAliveTimeout: 30_000,
      headersTimeout: stallMs,
      bodyTimeout: stallMs,
      connect: { ...connection.tls, timeout: stallMs },
    });
  }

  /**
   * @param path from /api or /apis on
   * @throws SourceTrouble what may be over in a moment: no connection, 429, 5xx, an answer cut short
   * @throws Failure `cluster-refuses`, `cluster-untrusted`
   */
  async call(method: 'GET' | 'PUT', path: string, body?: object): Promise<Answer> {
    const { server, token } = this.#connection;
    const bearer = token();
    try {
      const answer = await request(`${server}${path}`, {
        dispatcher: this.#client,
        method,
        headers: {
          accept: 'application/json',
          'user-agent': 'bake',
          ...(body && { 'content-type': 'application/json' }),
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: this.#signal,
      });
      return this.#read(answer, await answer.body.text());
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      throw this.#explain(error);
    }
  }

  #read({ statusCode, headers }: Dispatcher.ResponseData, text: string): Answer {
    if (statusCode < 300 || [404, 409, 410].includes(statusCode)) return { status: statusCode, body: parse(text) };
    if (statusCode >= 500 || statusCode === 408 || statusCode === 429) throw refusal(statusCode, headers);
    const remedy =
      statusCode === 401 ? 'renew the login in the kubeconfig' : 'bake lists and approves certificatesigningrequests';
    throw new Failure(
      'cluster-refuses',
      `${this.#connection.server} refuses (HTTP ${statusCode}): ${messageOf(text)}; ${remedy}`,
    );
  }

  #explain(error: unknown): Error {
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
