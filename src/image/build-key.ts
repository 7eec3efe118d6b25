import { generateKeyPairSync } from 'node:crypto';

/** An SSH key that lives as long as one build. */
export interface BuildKey {
  /** One line, as in a .pub file. */
  readonly publicKey: string;
  /** PKCS #8 in PEM, which Packer reads as well as OpenSSH's own format. */
  readonly privateKey: string;
}

/** A new one each time; ssh-ed25519, which every sshd since OpenSSH 6.5 takes. */
export function createBuildKey(): BuildKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  // The last 32 bytes of the DER are the key itself (RFC 8410, section 4).
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const blob = Buffer.concat([lengthAndBytes(Buffer.from('ssh-ed25519')), lengthAndBytes(raw)]);
  return {
    publicKey: `ssh-ed25519 ${blob.toString('base64')} bake`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A string as SSH has it (RFC 4251, section 5). */
function lengthAndBytes(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
