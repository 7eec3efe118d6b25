import { createServer } from 'node:http';
import { Failure } from '../diagnostics/failure.ts';

/** What a path answers. */
export interface Answer {
  readonly status: 200 | 503;
  readonly text: string;
}

/**
 * Serves texts over plain HTTP, for probes and Prometheus.
 * @returns ends it
 * @throws Failure `address-unusable`
 */
export async function serveStatus(
  { host, port }: { readonly host: string; readonly port: number },
  pages: Readonly<Record<string, () => Answer>>,
): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    const page = new Map(Object.entries(pages)).get(request.url ?? '');
    const { status, text } = page?.() ?? { status: 404, text: 'not found\n' };
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      reject(
        new Failure('address-unusable', `cannot listen on ${host}:${port} (${code}); give --listen another address`),
      );
    });
    server.listen({ port, ...(host !== '' && { host }) }, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}
