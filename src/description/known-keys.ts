import type { Path } from '../diagnostics/diagnostic.ts';
import { clusterSchema } from './shape/cluster-spec.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

let schema: Schema | undefined;

/** The schema that editors use also tells which keys there are; it takes a while to make. */
function wholeSchema(): Schema {
  schema ??= clusterSchema() as Schema;
  return schema;
}

function schemaAt(path: Path): Schema | undefined {
  return path.reduce<Schema | undefined>(
    (above, step) => (typeof step === 'number' ? above?.items : above?.properties?.[step]),
    wholeSchema(),
  );
}

/** The keys that may stand at a path. */
export function keysAt(path: Path): string[] {
  return Object.keys(schemaAt(path)?.properties ?? {});
}

/** What the schema says that a key is for. */
export function purposeOf(path: Path): string | undefined {
  return schemaAt(path)?.description;
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
