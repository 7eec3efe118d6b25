import type { CodeEntry } from './code-entry.ts';

/** What keeps a description from being read at all. */
export const syntaxCodes = {
  'yaml-syntax': {
    severity: 'error',
    summary: 'the file is not YAML',
    story: `The description must be one YAML 1.2 document. The caret shows where the parser gave up; the mistake is
often just before it: a missing colon, an unclosed quote, a line that is not lined up with its neighbours.`,
  },
  'yaml-tab': {
    severity: 'error',
    summary: 'a tab indents a line',
    story: `YAML allows spaces only at the start of a line, since nobody agrees how wide a tab is. Replace it; most
editors can be told to write spaces in YAML files.`,
  },
  'control-character': {
    severity: 'error',
    summary: 'a control character stands in the file',
    story: `YAML allows no control characters but tabs and line breaks. One of them is a sign that the file is no plain
text: a binary file, UTF-16, or line ends of an old Macintosh. Save it as UTF-8 with LF or CRLF.`,
  },
  'empty-description': {
    severity: 'error',
    summary: 'there is nothing in the file',
    story: `The file is empty, or holds comments only. To YAML that is a valid document, and it describes no cluster.
\`bake init\` writes a commented description to start from.`,
  },
  'several-documents': {
    severity: 'error',
    summary: 'the file holds more than one YAML document',
    story: `A line of three dashes starts a new document. bake reads one cluster from one file, and will not guess which
of several is meant. Keep each in a file of its own.`,
  },
  'duplicate-key': {
    severity: 'error',
    summary: 'a key is written twice in one mapping',
    story: `Many YAML readers silently take the last of two equal keys, so that the first looks as if it were in force.
Keep the one that is meant.`,
  },
  'alias-bomb': {
    severity: 'error',
    summary: 'aliases stand for more than any cluster has',
    story: `An alias (*name) stands for what its anchor (&name) marks. Aliases of lists of aliases multiply: a few lines
can stand for billions of values, and an alias inside its own anchor for endlessly many. Such a file is either an
accident or an attack, so it is not read any further. Write the values out.`,
  },
  'too-deep': {
    severity: 'error',
    summary: 'the YAML is nested too deeply',
    story: `No part of a description has more than a dozen levels; a file with more than a hundred is none. The reader
stops there, since it would run out of memory some thousands of levels later.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
