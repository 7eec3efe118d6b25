import type { CodeEntry } from './code-entry.ts';
import { clusterCodes } from './cluster-codes.ts';
import { commandCodes } from './command-codes.ts';
import { downloadCodes } from './download-codes.ts';
import { meaningCodes } from './meaning-codes.ts';
import { rehearsalCodes } from './rehearsal-codes.ts';
import { shapeCodes } from './shape-codes.ts';
import { syntaxCodes } from './syntax-codes.ts';

/** Every code that bake can say. Codes are stable: scripts match on them and `bake explain CODE` tells their story. */
export const codes = {
  ...syntaxCodes,
  ...shapeCodes,
  ...meaningCodes,
  ...commandCodes,
  ...downloadCodes,
  ...clusterCodes,
  ...rehearsalCodes,
  'output-not-ours': {
    severity: 'error',
    summary: 'something that bake did not make is where the output goes',
    story: `The output folder is a link that bake makes, to a hidden folder beside it, so that a run can replace
everything in one step. A real folder, a file or a link to elsewhere may hold something that nobody else has, so it is
left alone. Move it away, or name another folder with -o.`,
  },
  'output-unwritable': {
    severity: 'error',
    summary: 'the output cannot be written',
    story: `The system refused a step while the files were written; its own words say which and why: no permission, a
file system mounted read-only, a file where a folder belongs. What was there before is still there, whole. Name another
folder with -o, or make the one above it writable.`,
  },
  'disk-full': {
    severity: 'error',
    summary: 'the disk is full',
    story: `The disk, or your quota on it, ran full while files were written. What was there before is still there,
whole, and what was written of the new is removed. The old and the new output lie side by side for a moment, so a run
needs room for both.`,
  },
  'token-store-damaged': {
    severity: 'error',
    summary: 'the file of bootstrap tokens is damaged',
    story: `The tokens lie beside the description, in NAME.tokens.json. bake replaces that file in one step and never
leaves half of one, so something else changed it. Restore it from a backup; or remove it: the next compile makes new
tokens, and then each node that has not joined yet needs its new user-data and the new Secret.`,
  },
  'token-store-missing': {
    severity: 'error',
    summary: 'there is no file of bootstrap tokens, by which client certificates are to be approved',
    story: `With \`approval: plan\` a client certificate is approved only to who holds the token of that node. Which token
that is, bake compile keeps beside the description, in NAME.tokens.json. Run bake approve-csrs where that file is, or
give it \`--inventory\`: manifests/approver has the ids of the tokens, which are no secret. Compiling anew makes other
tokens, which no node has that was made before.`,
  },
  'token-store-exposed': {
    severity: 'error',
    summary: 'others may read the file of bootstrap tokens',
    story: `Whoever reads the file can join machines to the cluster, so it must be its owner's alone (mode 0600). bake
makes it so; a copy or a checkout often is not. It is not put right in silence, since somebody may have read it: chmod
600 it, and if that may be so, run bake token rotate and delete the Secrets of the old tokens.`,
  },
  'token-store-locked': {
    severity: 'error',
    summary: 'another run holds the file of bootstrap tokens',
    story: `While one run issues tokens, others wait, so that all agree on them. That takes a moment; this run waited
half a minute. The other run may be stopped (Ctrl-Z): end it, and run again. A lock whose run was killed is no obstacle,
bake sees that.`,
  },
  'token-store-unusable': {
    severity: 'error',
    summary: 'the file of bootstrap tokens can be neither read nor written',
    story: `The tokens lie beside the description, in NAME.tokens.json, and the system refused to read or write there; its
own words say why. The description's folder must be yours to write to, also because a new file replaces the old one.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type DiagnosticCode = keyof typeof codes;
