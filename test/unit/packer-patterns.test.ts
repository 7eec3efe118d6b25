import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { clusterSchema } from '../../src/description/shape/cluster-spec.ts';

// What the description lets through Packer must not refuse, in words about a file that nobody wrote.
const patterns = suite('packer patterns');
const packer = join(import.meta.dirname, '../../packer');

interface Schema {
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Variables of the template, and the keys of the description that they come from. */
const keyOf: Readonly<Record<string, string>> = {
  packages: 'packages',
  time_zone: 'timeZone',
  qemu_base_image_checksum: 'qemu.baseImage.checksum',
  qemu_disk_size: 'qemu.diskSize',
  amazon_ebs_region: 'amazonEbs.region',
  amazon_ebs_instance_type: 'amazonEbs.instanceType',
  amazon_ebs_vpc_id: 'amazonEbs.vpcId',
  amazon_ebs_subnet_id: 'amazonEbs.subnetId',
  amazon_ebs_security_group_ids: 'amazonEbs.securityGroupIds',
  amazon_ebs_instance_profile: 'amazonEbs.instanceProfile',
  amazon_ebs_kms_key_id: 'amazonEbs.kmsKeyId',
  null_user: 'null.user',
};

const templates = readdirSync(packer).filter((name) => name.startsWith('variables'));
const source = templates.map((name) => readFileSync(join(packer, name), 'utf8')).join('\n');

for (const [variable, key] of Object.entries(keyOf)) {
  patterns(`${variable} is ${key}`, () => {
    const block = source.slice(source.indexOf(`variable "${variable}" {`));
    const hcl = /regex\("((?:[^"\\]|\\.)+)"/.exec(block)?.[1]?.replaceAll('\\\\', '\\');
    let schema = (clusterSchema() as Schema).properties?.['image'];
    for (const step of key.split('.')) schema = schema?.properties?.[step];
    assert.equal((schema?.items ?? schema)?.pattern?.replaceAll('\\/', '/'), hcl);
  });
}

patterns.run();
