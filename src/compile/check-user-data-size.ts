import { findPlatform } from '../catalog/platforms.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Templates } from '../templates/templates.ts';
import type { Token } from '../tokens/token.ts';
import { gzip } from './gzip.ts';
import { userDataOf, type UserDataText } from './user-data.ts';

/** Every token is as long as this one. */
const placeholder: Omit<Token, 'node'> = { id: 'aaaaaa', secret: 'aaaaaaaaaaaaaaaa', expires: '2020-08-03T14:12:04Z' };

/** How far a random token can change the length of gzipped user-data: its 22 letters, if none of them repeats. */
const GZIP_SLACK_BYTES = 64;

/** Finds nodes whose user-data the target would cut off or refuse; the bytes are shown by section. */
export function checkUserDataSize(cluster: Cluster, templates: Templates): Diagnostic[] {
  const { takesMetaData, userDataLimit } = findPlatform(cluster.userData.target);
  if (userDataLimit === null) return [];
  const userData = userDataOf(cluster, !takesMetaData, templates);
  const zipped = cluster.userData.encoding === 'gzip';

  return cluster.nodes.flatMap((node, index): Diagnostic[] => {
    const made = userData(node, { ...placeholder, node: node.name });
    const plain = Buffer.byteLength(made.text);
    if (plain <= userDataLimit) return [];
    const bytes = zipped ? gzip(made.text).length : plain;
    if (bytes + (zipped ? GZIP_SLACK_BYTES : 0) <= userDataLimit) return [];
    const remedy = zipped
      ? 'take settings out of kubelet.config, or shorten the certificate authority'
      : 'set userData.encoding to gzip';
    const message =
      `the user-data of ${node.name} has ${bytes} bytes${zipped ? ` as gzip, by the token up to ${GZIP_SLACK_BYTES} more,` : ''} and ${cluster.userData.target} takes ` +
      `${userDataLimit} (${bySection(made)}); ${remedy}`;
    return [{ code: 'user-data-too-long', path: ['nodes', index, 'name'], at: 'value', message }];
  });
}

function bySection({ text, sections }: UserDataText): string {
  const rest = Buffer.byteLength(text) - sections.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...sections, { name: 'everything else', bytes: rest }]
    .map(({ name, bytes }) => `${name} ${bytes}`)
    .join(', ');
}
