import type { Dispatcher } from 'undici';
import { ask, reading, refusal } from './http-client.ts';
import { SourceTrouble, type OpenedSource, type OpenOptions } from './source-trouble.ts';

/**
 * Opens a file on a web server, from some byte on: https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 * @throws SourceTrouble
 */
export async function openHttp(client: Dispatcher, url: string, options: OpenOptions): Promise<OpenedSource> {
  const { offset, tag, signal } = options;
  const range = offset === 0 ? {} : { range: `bytes=${offset}-`, ...(tag === undefined ? {} : { 'if-range': tag }) };
  const { statusCode, headers, body } = await ask(url, { client, headers: range, signal });
  if (statusCode === 200) {
    const length = Number(headers['content-length'] ?? NaN);
    return {
      offset: 0,
      size: Number.isNaN(length) ? undefined : length,
      tag: strongTag(headers.etag),
      body: reading(body, signal),
    };
  }
  const [, first, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers['content-range'] ?? '')) ?? [];
  if (statusCode === 206 && Number(first) === offset) {
    return {
      offset,
      size: size === '*' ? undefined : Number(size),
      tag: strongTag(headers.etag),
      body: reading(body, signal),
    };
  }
  // The rest of it is not wanted; a body that nobody reads would hold the connection.
  body.on('error', () => undefined).destroy();
  if (statusCode === 206) throw new SourceTrouble('it sends another part than was asked for', { again: true });
  // There is nothing behind what we have: it is not what we have the beginning of.
  if (statusCode === 416 && offset > 0) return openHttp(client, url, { ...options, offset: 0 });
  throw refusal(statusCode, headers);
}

/**
 * The size of a file on a web server, undefined where it does not say.
 * @throws SourceTrouble
 */
export async function sizeByHttp(client: Dispatcher, url: string, signal: AbortSignal): Promise<number | undefined> {
  const { statusCode, headers, body } = await ask(url, { client, method: 'HEAD', signal });
  body.on('error', () => undefined).destroy();
  // What HEAD is refused for, GET may be allowed.
  if ([403, 405, 501].includes(statusCode)) return undefined;
  if (statusCode !== 200) throw refusal(statusCode, headers);
  // A login page, or a mirror that has one answer to everything: what GET brings will be compared with its digest.
  if (String(headers['content-type']).startsWith('text/html')) return undefined;
  const length = Number(headers['content-length'] ?? NaN);
  return Number.isNaN(length) ? undefined : length;
}

/** A weak one says that two versions mean the same, not that their bytes are. */
function strongTag(etag: string | string[] | undefined): string | undefined {
  return typeof etag === 'string' && etag.startsWith('"') ? etag : undefined;
}
