import { setMaxListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { request, type Dispatcher } from 'undici';
import * as z from 'zod';
import { Failure } from '../../diagnostics/failure.ts';
import { httpClient, refusal, troubleOf } from '../http-client.ts';
import { SourceTrouble } from '../source-trouble.ts';
import type { Connection, Login } from './connection.ts';

/** What an apiserver answered. */
export interface Answer {
  /** 2xx, or one of those that mean something to whoever asks: 404, 409, 410. */
  readonly status: number;
  readonly body: unknown;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const JSON_TYPE = 'application/json';

/** etcd takes objects of 1.5 MiB. */
const MAX_LINE = 8 << 20;
/** A page of fifty of them, padded by whoever wants to be in the way, in base64. */
const MAX_ANSWER = 128 << 20;
/** What an apiserver is being asked to change when the signal comes may come to be: its answer is waited for, so long. */
const GRACE_MS = 3000;

/** An apiserver, over connections that are kept; where it is gone, those that stand in for it. */
export class KubernetesApi {
  readonly #connection: Connection;
  readonly #signal: AbortSignal;
  /** Some time after the signal. */
  readonly #late = new AbortController();
  readonly #stallMs: number;
  #client: { readonly tls: Login['tls']; readonly dispatcher: Dispatcher } | undefined;
  /** The one that was asked last. */
  #server: string;
  /** Which one is gone, or answers 5xx. */
  #gone: string | undefined;

  /** @param stallMs silence after which a request is given up */
  constructor(connection: Connection, { signal, stallMs = 20_000 }: { signal: AbortSignal; stallMs?: number }) {
    this.#connection = connection;
    this.#server = connection.servers[0];
    this.#signal = signal;
    // Each request listens to it, and more than Node's limit of ten run at once.
    setMaxListeners(0, signal, this.#late.signal);
    signal.addEventListener('abort', () => setTimeout(() => this.#late.abort(), GRACE_MS).unref(), { once: true });
    this.#stallMs = stallMs;
  }

  /**
   * What only reads is asked of each server at once that may answer; else the next call asks the next one.
   * @param path from /api or /apis on
   * @param accept a form of JSON
   * @throws SourceTrouble what may be over in a moment, or is of what was sent only: no connection, 429, 5xx, 422
   * @throws Failure `cluster-refuses`, `cluster-untrusted`, or as Connection.login
   */
  async call(method: Method, path: string, body?: object, accept = JSON_TYPE): Promise<Answer> {
    this.#signal.throwIfAborted();
    for (let left = method === 'GET' ? this.#connection.servers.length : 1; ; left--) {
      const server = this.#nextServer();
      try {
        const answer = await this.#request(server, method, path, { body, accept, bodyTimeout: this.#stallMs });
        return this.#read(answer, await textOf(answer));
      } catch (error) {
        const trouble = this.#explain(error, server);
        if (left <= 1 || this.#gone !== server || !(trouble instanceof SourceTrouble)) throw trouble;
      }
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
    const server = this.#nextServer();
    const answer = await this.#begin(server, path, lengthMs);
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
      if (!signal.aborted) throw this.#explain(error, server);
      this.#signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', end);
      body.destroy();
    }
  }

  async #begin(server: string, path: string, lengthMs: number): Promise<Dispatcher.ResponseData> {
    try {
      const answer = await this.#request(server, 'GET', path, { bodyTimeout: lengthMs + this.#stallMs });
      if (answer.statusCode < 300) return answer;
      this.#read(answer, await textOf(answer));
      throw refusal(answer.statusCode, answer.headers);
    } catch (error) {
      throw this.#explain(error, server);
    }
  }

  async #request(
    server: string,
    method: Method,
    path: string,
    {
      body,
      accept = JSON_TYPE,
      bodyTimeout,
    }: { readonly body?: object | undefined; readonly accept?: string; readonly bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> {
    const login = await this.#connection.login(this.#signal);
    const answer = await request(`${server}${path}`, {
      dispatcher: this.#clientFor(login),
      method,
      headers: {
        accept,
        'user-agent': 'bake',
        ...(body && { 'content-type': JSON_TYPE }),
        ...login.headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      bodyTimeout,
      signal: method === 'GET' ? this.#signal : this.#late.signal,
    });
    if (answer.statusCode === 401) this.#connection.forget(login);
    if (answer.statusCode >= 500) this.#gone = server;
    return answer;
  }

  /** Connections are of one certificate, and trust one authority. */
  #clientFor({ tls }: Login): Dispatcher {
    if (this.#client !== undefined && isDeepStrictEqual(tls, this.#client.tls)) return this.#client.dispatcher;
    // What is under way by the one before comes to its end.
    void this.#client?.dispatcher.close();
    const { proxyFor } = this.#connection;
    const options = { tls, stallMs: this.#stallMs, connections: 16, keepAliveTimeout: 30_000 };
    this.#client = { tls, dispatcher: httpClient(proxyFor, options) };
    return this.#client.dispatcher;
  }

  /** In turn, once one is gone. */
  #nextServer(): string {
    const { servers } = this.#connection;
    if (this.#gone === this.#server) {
      this.#server = servers[(servers.indexOf(this.#server) + 1) % servers.length] ?? servers[0];
    }
    this.#gone = undefined;
    return this.#server;
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
        : '`bake explain cluster-refuses` tells which rights it takes';
    throw new Failure('cluster-refuses', `${this.#server} refuses (HTTP ${statusCode}): ${messageOf(text)}; ${remedy}`);
  }

  #explain(error: unknown, server: string): Error {
    this.#signal.throwIfAborted();
    if (error instanceof Failure) return error;
    if (error instanceof SourceTrouble && (error.again || error.missing)) return error;
    this.#gone = server;
    const trouble = troubleOf(error, "the kubeconfig's certificate-authority must be the one that signs for it");
    if (trouble.again) return trouble;
    // Of one that stands in for another the kubeconfig says nothing.
    if (server !== this.#connection.servers[0]) return new SourceTrouble(trouble.message, { again: true });
    return new Failure('cluster-untrusted', `${server}: ${trouble.message}`);
  }

  /** The one that was asked last. */
  get server(): string {
    return this.#server;
  }

  async close(): Promise<void> {
    await this.#client?.dispatcher.destroy();
  }
}

/** @throws SourceTrouble where it is without end */
async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  let text = '';
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_ANSWER) throw new SourceTrouble('it sends an answer without end', { again: true });
  }
  return text;
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
