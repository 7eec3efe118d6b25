import type { CodeEntry } from './code-entry.ts';

/** What a rehearsal meets. */
export const rehearsalCodes = {
  'rehearsal-unusable': {
    severity: 'error',
    summary: 'this machine cannot boot a node',
    story: `\`bake rehearse\` boots the image by systemd-nspawn (Debian's and Ubuntu's package systemd-container), in network,
mount and process namespaces of its own: on Linux, as root, with iproute2 and util-linux. Where that cannot be, QEMU boots
it, without root. Nothing is installed, and nothing stays behind.`,
  },
  'image-unreadable': {
    severity: 'error',
    summary: 'there is no image to boot, or nothing in it that boots',
    story: `\`bake rehearse\` takes the disk image that \`bake image\` has made (in a container for qcow2 and vmdk it runs
qemu-img), a raw one, or in a container a folder with the root file system of a baked machine. It reads the image, and what
the node writes is thrown away.`,
  },
  'image-not-baked': {
    severity: 'error',
    summary: 'the image is not one that bake has made',
    story: `Every image that was baked has /etc/bake-release, which names the versions in it and their bake.lock. The base
image, for one, has none.`,
  },
  'rehearsal-incomplete': {
    severity: 'error',
    summary: 'nothing has failed, and it was not seen whether the node would join',
    story: `Before 1.19 kubelet knows cgroup v1 only, and a container has those of the machine that it runs on. Everything until
kubelet's start is rehearsed on any machine; for the rest take one that was booted with systemd.unified_cgroup_hierarchy=0,
which systemd knows until 257. Where the time was up before the boot had ended, what is missing may come yet: give it more
by --timeout.`,
  },
  'node-would-not-join': {
    severity: 'error',
    summary: 'the rehearsal shows that the node would not join',
    story: `The table has what happened, stage by stage, and the message what is to be mended first. What begins with a code
and a colon is what bake-check says on the node. An image that is not of this description explains all that comes after it:
bake it again. It also shows there if a script of image.scripts changes a file of bake's.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
