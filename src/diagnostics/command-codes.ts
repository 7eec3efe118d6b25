import type { CodeEntry } from './code-entry.ts';

/** What a command cannot do as it was called. */
export const commandCodes = {
  'description-unreadable': {
    severity: 'error',
    summary: 'the description cannot be read',
    story: `There is no such file, it is a folder, it may not be read, or it is no UTF-8 text.`,
  },
  'file-exists': {
    severity: 'error',
    summary: 'a file is there already',
    story: `\`bake init\` writes new files only, and none at all where one of them exists, so that nobody loses a
description. Give it another folder, or move the file away.`,
  },
  'unknown-code': {
    severity: 'error',
    summary: 'there is no such code',
    story: `\`bake explain\` without a code lists all of them.`,
  },
  'unknown-node': {
    severity: 'error',
    summary: 'the description has no such node',
    story: `Nodes are named as under nodes in the description; \`bake token list\` prints them.`,
  },
  'csrs-unreadable': {
    severity: 'error',
    summary: 'there are no certificate signing requests in what was to be judged',
    story: `\`bake approve-csrs --from-file\` reads what \`kubectl get csr -o json\` prints: a list, or one request. YAML and
tables say less, or say it in other ways.`,
  },
  'inventory-unreadable': {
    severity: 'error',
    summary: 'there is no inventory in the file of --inventory',
    story: `An inventory is JSON, gzipped or not: the certificate of the CA, and name and address of each node
(with \`approval: plan\` also the id of its bootstrap token), of which none is there twice. \`bake compile\` writes it into manifests/approver where the description has an approver; in the cluster it is a file of the ConfigMap
bake-approver.`,
  },
  'unknown-csr': {
    severity: 'error',
    summary: 'there is no such certificate signing request',
    story: `Requests are named csr-xxxxx by the kubelets that post them. They are kept for an hour once their certificate is
issued, and for a day while they wait.`,
  },
  'packer-unusable': {
    severity: 'error',
    summary: 'there is no Packer, or one that is too old',
    story: `\`bake image\` runs the packer on your PATH, 1.11 or later; its plugins come from bake.lock. Debian's own
package is older, and does not know required_plugins.`,
  },
  'plugin-unusable': {
    severity: 'error',
    summary: "an archive with one of Packer's plugins cannot be read",
    story: `It has the digest that bake.lock names, so the wrong file was there when the lock was made: a mirror's page
that says "not found", perhaps. With the mirror right, \`bake lock --update\` asks for everything anew.`,
  },
  'ssh-key-unusable': {
    severity: 'error',
    summary: 'the build cannot log in with this key',
    story: `\`bake image\` makes a key for each build, and removes it afterwards. Only an existing machine (image.source:
null) is logged in to with a key of yours: a private one without a passphrase, or whatever an SSH agent holds.`,
  },
  'qemu-unusable': {
    severity: 'error',
    summary: 'QEMU cannot make a disk image here',
    story: `With \`image.source: qemu\`, Packer boots the base image in QEMU: it needs the QEMU of the nodes'
architecture, qemu-img, xorriso or a like of it for the disk that lets the build log in, for arm64 UEFI firmware, and the
accelerator that image.qemu.accelerator names: kvm (Linux, the default), hvf (macOS), or tcg, which emulates the processor
and is the only one that runs another architecture.`,
  },
  'image-busy': {
    severity: 'error',
    summary: 'another bake of the same image runs',
    story: `An image, its digest, its bill of materials and its log are named after \`image.name\`: two bakes at once into one
folder would write the same files. A bake that is gone, killed perhaps, is not waited for.`,
  },
  'bake-failed': {
    severity: 'error',
    summary: 'Packer did not bake the image',
    story: `What the failing step said is in the message, and all that Packer said in the log. Machines and disks that the
build had begun are gone, and an image of an earlier bake is as it was. Every script of the image can run twice: correct
what it complains of, and bake again.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
