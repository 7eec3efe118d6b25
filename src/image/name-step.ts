import { basename } from 'node:path';

/** What a step of Packer is called to the user: its script where it runs one. Undefined: it is not worth a line. */
export function nameStep(text: string): string | undefined {
  const script = /^Provisioning with shell script: (.+)$/.exec(text)?.[1];
  // What stands inline in the template is copied to a file first.
  if (script !== undefined) return basename(script).startsWith('packer-shell') ? undefined : basename(script, '.sh');
  const upload = /^(Uploading|Downloading) (\S+) => \S+$/.exec(text);
  if (upload !== null) return `${upload[1] === 'Uploading' ? 'upload' : 'download'} ${basename(upload[2] ?? '')}`;
  const postProcessor = /^Running post-processor: .*\(type ([\w-]+)\)$/.exec(text)?.[1];
  if (postProcessor !== undefined) return postProcessor;
  if (text.startsWith('Provisioning step had errors')) return 'clean up';
  // What takes no time, and paths of the cache.
  if (/^(Trying |\/|Found port |Looking for available port)/.test(text)) return undefined;
  return text.replace(/\.+$/, '');
}
