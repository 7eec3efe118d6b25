import type { Path } from '../diagnostics/diagnostic.ts';
import { clusterSchema } from './shape/cluster-spec.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

let schema: Schema | undefined;

/** The schema that editors use also tells which keys there are; it takes a while to make. */
function wholeSchema(): Schema {
  schema ??= clusterSchema() as Schema;
  return schema;
}

/** The keys that may stand at a path. */
export function keysAt(path: Path): string[] {
  const at = path.reduce<Schema | undefined>(
    (below, step) => (typeof step === 'number' ? below?.items : below?.properties?.[step]),
    wholeSchema(),
  );
  return Object.keys(at?.properties ?? {});
}

/** Where else a key of this name may stand: `network.podCIDR`. */
export function homesOf(key: string): string[] {
  return homesBelow(wholeSchema(), '', key);
}

function homesBelow(below: Schema, at: string, key: string): string[] {
  const properties = Object.entries(below.properties ?? below.items?.properties ?? {});
  return properties.flatMap(([name, child]) => [
    ...(name === key ? [`${at}${name}`] : []),
    ...homesBelow(child, `${at}${name}.`, key),
  ]);
}
