import { execa } from 'execa';
import semver from 'semver';
import { Failure } from '../diagnostics/failure.ts';

/** As packer/plugins.pkr.hcl has it. */
const REQUIRED = '1.11.0';

/**
 * Asks the packer on PATH for its version, before minutes go into all that comes before it.
 * @throws Failure `packer-unusable`
 */
export async function findPacker(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const asked = await execa('packer', ['version'], {
    env: { ...env, CHECKPOINT_DISABLE: '1' },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  const version = /^Packer v(\S+)/m.exec(asked.stdout)?.[1];
  if (version !== undefined && semver.gte(version, REQUIRED)) return;
  const fact =
    version !== undefined
      ? `the packer on PATH is ${version}`
      : asked.code === 'ENOENT'
        ? 'there is no packer on PATH'
        : `the packer on PATH does not say its version (${asked.shortMessage ?? ''})`;
  throw new Failure(
    'packer-unusable',
    `${fact}; install 1.11 or later, from https://developer.hashicorp.com/packer/install`,
  );
}
