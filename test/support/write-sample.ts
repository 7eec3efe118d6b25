import { writeSample } from './sample-output.ts';

// A process that writes a sample output, and can be killed at it: node write-sample.mjs OUT WHICH NODES.
const [out = '', which = '', nodes = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
await writeSample(out, which, Number(nodes));
