import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

// A web server for one folder, in a process of its own: node serve-folder.mjs FOLDER [ADDRESS]. Prints its port.
const [folder = '', listen = '127.0.0.1'] = process.argv.slice(2);
const server = createServer((request, response) => {
  const path = join(folder, decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) {
    response.writeHead(404).end();
    return;
  }
  const { size } = found;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = to === undefined || to === '' ? size - 1 : Number(to);
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === 'HEAD') response.end();
  else createReadStream(path, { start, end, highWaterMark: 1 << 20 }).pipe(response);
});
server.listen(0, listen, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? (address?.port ?? 0) : 0}\n`);
});
