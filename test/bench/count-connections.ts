import { connect, createServer, type AddressInfo } from 'node:net';

/** A way to a port of loopback, which looks at nothing that goes by. */
export interface CountedWay {
  readonly port: number;
  /** How many connections have come by it. */
  count: number;
  close(): void;
}

/** @param to the port that is gone to */
export async function countConnections(to: number): Promise<CountedWay> {
  const server = createServer({ noDelay: true }, (near) => {
    way.count += 1;
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const way: CountedWay = { port, count: 0, close: () => void server.close() };
  return way;
}
