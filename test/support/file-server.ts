import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** What a server does to one request for a file, instead of sending it. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Sends so many bytes of what is asked for, and then breaks the connection, or falls silent. */
  | { readonly bytes: number; readonly then: 'reset' | 'silence' }
  /** Says that it sends so many bytes. */
  | { readonly contentLength: number }
  /** Sends other bytes, as if the file were another. */
  | { readonly instead: Buffer; readonly etag?: string };

export interface FileServer {
  readonly url: string;
  /** Method, path, and what was asked for of it, request by request. */
  readonly requests: { method: string; path: string; range: string | undefined; ifRange: string | undefined }[];
  close(): Promise<void>;
}

interface Options {
  /** For each request of a path in turn; undefined: the file as it is. */
  readonly faults?: Readonly<Record<string, readonly (Fault | undefined)[]>>;
  /** False: always the whole file, with 200. */
  readonly ranges?: boolean;
  /** False: a part is sent also where If-Range names another version. */
  readonly ifRange?: boolean;
  readonly etag?: boolean;
  /** False: HEAD is refused. */
  readonly head?: boolean;
  /** Bytes per pause of 20 ms. */
  readonly slow?: number;
}

/** A web server as upstreams are on a good day, and on others. */
export async function serveFiles(files: ReadonlyMap<string, Buffer>, options: Options = {}): Promise<FileServer> {
  const requests: FileServer['requests'] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => void answer(request, response));
  // A fault is over when the test is.
  server.on('clientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? '').slice(1).replace(/\?.*$/, ''));
    const { range, 'if-range': ifRange } = request.headers;
    requests.push({ method: request.method ?? '', path, range, ifRange: ifRange as string | undefined });
    const count = counts.get(path) ?? 0;
    counts.set(path, count + 1);
    const fault = options.faults?.[path]?.[count];
    if (fault !== undefined && 'status' in fault) {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const file = fault !== undefined && 'instead' in fault ? fault.instead : files.get(path);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (request.method === 'HEAD' && options.head === false) {
      response.writeHead(405).end();
      return;
    }
    const etag =
      fault !== undefined && 'instead' in fault && fault.etag !== undefined ? fault.etag : `"${file.length}-v1"`;
    const sameVersion = options.ifRange === false || ifRange === undefined || ifRange === etag;
    const start = options.ranges === false || !sameVersion ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (start >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    const length = fault !== undefined && 'contentLength' in fault ? fault.contentLength : file.length - start;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': length,
      ...(options.etag === false ? {} : { etag }),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` } : {}),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    if (fault !== undefined && 'bytes' in fault) {
      response.write(file.subarray(start, start + fault.bytes), () => {
        // Time for what was sent to arrive.
        if (fault.then === 'reset') void setTimeout(50).then(() => request.socket.resetAndDestroy());
      });
      return;
    }
    if (fault !== undefined && 'contentLength' in fault) {
      response.flushHeaders();
      request.socket.end(file.subarray(start, start + length));
      return;
    }
    const step = options.slow ?? file.length;
    for (let at = start; at < file.length && !response.destroyed; at += step) {
      response.write(file.subarray(at, at + step));
      if (options.slow !== undefined) await setTimeout(20);
    }
    response.end();
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
