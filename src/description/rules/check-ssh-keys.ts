import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

/** A key that sshd cannot read locks its owner out of every node. */
export function* checkSshKeys({ spec }: Subject): Iterable<Diagnostic> {
  for (const [index, key] of (spec.sshAuthorizedKeys ?? []).entries()) {
    const path = ['sshAuthorizedKeys', index];
    if (key.includes('PRIVATE KEY')) {
      const message = 'this is a private key; remove it, and write the public one, which `ssh-keygen -y -f KEY` prints';
      yield { code: 'private-key', path, at: 'value', message };
    } else {
      const reason = whatIsWrong(key);
      if (reason !== undefined) yield { code: 'bad-ssh-key', path, at: 'value', message: reason };
    }
  }
}

/** What OpenSSH 7.6 and newer take as a user's key; DSA is no longer among them. */
const types = ['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'];
const PUBLIC_KEY = new RegExp(`(?:^|\\s)(${types.join('|')})\\s+(\\S+)`);

function whatIsWrong(line: string): string | undefined {
  const remedy = 'write the one line of the .pub file';
  if (/[\p{Cc}]/u.test(line)) return `a key is one line, and this holds line breaks or tabs; ${remedy}, without | or >`;
  const [, type, body] = PUBLIC_KEY.exec(line) ?? [];
  if (type === undefined || body === undefined) {
    return `no public key of a type that sshd takes (${types.join(', ')}) is here; ${remedy}`;
  }
  return isWhole(type, body) ? undefined : `the key after ${type} is cut short or damaged; ${remedy}`;
}

/** In base64 it is a row of length-prefixed strings, and the first names the type again (RFC 4253, 6.6). */
function isWhole(type: string, body: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return false;
  const bytes = Buffer.from(body, 'base64');
  const strings: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    strings.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return at === bytes.length && strings.length >= 2 && strings[0]?.toString() === type;
}
