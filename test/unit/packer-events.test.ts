import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { nameStep } from '../../src/image/name-step.ts';
import { parsePackerLine } from '../../src/image/packer-events.ts';
import { Story } from '../../src/image/story.ts';

// Lines as Packer 1.11.2 has written them.
const events = suite('what Packer says');

const build = String.raw`1795525181,,ui,say,==> null.node: Provisioning with shell script: /srv/out/packer/scripts/build-nginx.sh
1795525181,,ui,error,==> null.node: exit code 100 from: apt-get install --yes gcc make
1795525181,,ui,error,==> null.node: E: Unable to locate package gcc%!(PACKER_COMMA) make
1795525182,,ui,message,    null.node: build-nginx.sh: line 14 failed
1795525182,,ui,say,==> null.node: Provisioning step had errors: Running the cleanup provisioner%!(PACKER_COMMA) if present...
1795525182,,ui,error,Build 'null.node' errored after 1 second 110 milliseconds: Script exited with non-zero exit status: 100. Allowed exit codes are: [0]
1795525182,,ui,say,\n==> Wait completed after 1 second 111 milliseconds
1795525182,,error-count,1
1795525182,,ui,say,\n==> Builds finished but no artifacts were created.`;

events('a step begins, and says something', () => {
  const [step, detail] = build.split('\n').map(parsePackerLine);
  const text = 'Provisioning with shell script: /srv/out/packer/scripts/build-nginx.sh';
  assert.deepEqual(step, { kind: 'step', text });
  assert.deepEqual(detail, { kind: 'detail', text: 'exit code 100 from: apt-get install --yes gcc make' });
});

events('commas and line ends are what they were', () => {
  const said = parsePackerLine(String.raw`1,,ui,error,==> qemu.node: one%!(PACKER_COMMA) two\n    qemu.node: three`);
  assert.deepEqual(said, { kind: 'detail', text: 'one, two\nthree' });
});

events('an artifact has keys and values', () => {
  const line = '1795525181,amazon-ebs.node,artifact,0,id,eu-central-1:ami-0123456789abcdef0';
  assert.deepEqual(parsePackerLine(line), { kind: 'artifact', key: 'id', value: 'eu-central-1:ami-0123456789abcdef0' });
  assert.equal(parsePackerLine('1795525182,,error-count,1'), undefined);
});

events('a failure is told by the step that failed and what it said, not by the clean-up', () => {
  const story = new Story();
  for (const line of build.split('\n')) {
    const event = parsePackerLine(line);
    if (event !== undefined) story.hear(event);
  }
  assert.equal(
    story.ending('image/worker.log'),
    `Provisioning with shell script: /srv/out/packer/scripts/build-nginx.sh: failed; all that Packer said is in image/worker.log
  exit code 100 from: apt-get install --yes gcc make
  E: Unable to locate package gcc, make
  build-nginx.sh: line 14 failed
  Script exited with non-zero exit status: 100. Allowed exit codes are: [0]`,
  );
});

events('steps have short names', () => {
  const names = [
    'Provisioning with shell script: /srv/out/packer/scripts/build-nginx.sh',
    'Provisioning with shell script: /tmp/packer-shell3237369251',
    'Uploading /cache/artifacts/kubelet => /var/tmp/bake/artifacts/',
    'Waiting for SSH to become available...',
    'Running post-processor:  (type checksum)',
    'Trying /cache/sha256/ce2831',
    '/cache/sha256/ce2831?checksum=sha256%3Ace2831 => /cache/sha256/ce2831',
    'Looking for available port between 5900 and 6000 on 127.0.0.1',
  ].map(nameStep);
  assert.deepEqual(
    names.filter((name) => name !== undefined),
    ['build-nginx', 'upload kubelet', 'Waiting for SSH to become available', 'checksum'],
  );
});

events.run();
