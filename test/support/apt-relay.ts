import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An apt mirror for machines that reach nothing else: it hands on what this machine's own mirror has. */
export interface AptRelay {
  /** For apt's sources. */
  readonly archive: string;
  readonly security: string;
  /** Paths to which it answers 503; none at first. */
  refuses: RegExp;
  close(): void;
}

const upstream = { '/debian': 'http://deb.debian.org', '/debian-security': 'http://deb.debian.org' };

/**
 * @param address of this machine, on which it listens
 * @param seenAs the same as the machine knows it that asks
 */
export async function startAptRelay(address: string, seenAs = address): Promise<AptRelay> {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    const host = Object.entries(upstream).find(([folder]) => path.startsWith(`${folder}/`))?.[1];
    if (relay.refuses.test(path) || host === undefined) {
      outgoing.writeHead(host === undefined ? 404 : 503).end();
      return;
    }
    const asked = request(`${host}${path}`, { method: incoming.method, headers: { connection: 'close' } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    asked.on('error', () => outgoing.writeHead(502).end());
    asked.end();
  });
  await new Promise<void>((listening) => server.listen(0, address, listening));
  const { port } = server.address() as AddressInfo;
  const relay: AptRelay = {
    archive: `http://${seenAs}:${port}/debian`,
    security: `http://${seenAs}:${port}/debian-security`,
    refuses: /(?!)/,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return relay;
}
