import { join } from 'node:path';
import { suite } from 'uvu';
import { clusterSchema } from '../../src/description/shape/cluster-spec.ts';
import { expectFile } from '../support/expect-file.ts';

const schema = suite('cluster.schema.json');

schema('is what the shape says, which also decodes the file', () => {
  const path = join(import.meta.dirname, '../../examples/guide/cluster.schema.json');
  expectFile(path, `${JSON.stringify(clusterSchema(), null, 2)}\n`);
});

schema.run();
