import type { S3Client } from '@aws-sdk/client-s3';
import { fileURLToPath } from 'node:url';
import { environmentProxies } from './environment-proxies.ts';
import { httpClient } from './http-client.ts';
import { openHttp, sizeByHttp } from './http-source.ts';
import { openFile, sizeOfFile } from './file-source.ts';
import { SourceTrouble, type OpenedSource, type OpenOptions } from './source-trouble.ts';

/** How patient to be with a source. */
export interface Patience {
  /** Silence after which a connection is given up. */
  readonly stallMs: number;
  /** Attempts in a row that bring nothing, before the next source's turn comes. */
  readonly attempts: number;
  /** Pause after the first of them; each further one is twice as long. */
  readonly pauseMs: number;
}

export const usualPatience: Patience = { stallMs: 30_000, attempts: 5, pauseMs: 500 };

/** Reads files by https://, http://, file:// and s3://, over connections that are kept until `close`. */
export class Sources {
  readonly patience: Patience;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #http: ReturnType<typeof httpClient>;
  #s3: Promise<S3Client> | undefined;

  /** @throws Failure `proxy-unusable` */
  constructor(env: Readonly<Record<string, string | undefined>>, patience: Patience) {
    this.#env = env;
    this.patience = patience;
    this.#http = httpClient(environmentProxies(env), { stallMs: patience.stallMs });
  }

  get http() {
    return this.#http;
  }

  /** @throws SourceTrouble */
  async open(url: string, options: OpenOptions): Promise<OpenedSource> {
    switch (new URL(url).protocol) {
      case 'file:':
        return openFile(fileURLToPath(url), options);
      case 's3:':
        return (await import('./s3-source.ts')).openS3(await this.#s3Client(), url, options);
      case 'http:':
      case 'https:':
        return openHttp(this.#http, url, options);
      default:
        throw new SourceTrouble('bake knows https://, file:// and s3:// only', { again: false });
    }
  }

  /**
   * Bytes of a file, undefined where that takes reading it.
   * @throws SourceTrouble
   */
  async size(url: string, signal: AbortSignal): Promise<number | undefined> {
    switch (new URL(url).protocol) {
      case 'file:':
        return sizeOfFile(fileURLToPath(url));
      case 's3:':
        return (await import('./s3-source.ts')).sizeByS3(await this.#s3Client(), url, signal);
      default:
        return sizeByHttp(this.#http, url, signal);
    }
  }

  /**
   * A text of at most a few megabytes.
   * @throws SourceTrouble
   */
  async text(url: string, signal: AbortSignal): Promise<string> {
    const { body } = await this.open(url, { offset: 0, tag: undefined, signal });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_TEXT) throw new SourceTrouble(`it is longer than ${MAX_TEXT} bytes`, { again: false });
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  async close(): Promise<void> {
    await this.#http.destroy();
    if (this.#s3 !== undefined) (await this.#s3).destroy();
  }

  async #s3Client(): Promise<S3Client> {
    this.#s3 ??= import('./s3-source.ts').then(({ s3Client }) => s3Client(this.#http, this.#env));
    return this.#s3;
  }
}

const MAX_TEXT = 8 << 20;
