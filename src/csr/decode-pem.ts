/** A request with an RSA key of 8192 bits has less than 3 KiB. */
const MAX_BYTES = 16_384;

const BEGIN = '-----BEGIN CERTIFICATE REQUEST-----\n';
const END = '-----END CERTIFICATE REQUEST-----\n';

/**
 * The bytes in the one PEM block of `spec.request`, undefined unless it is written just as Go and OpenSSL write it: what
 * else a reader accepts (headers, other line lengths, text around the block, a second block) it may also read otherwise.
 * @param request base64, as JSON has it
 */
export function decodePem(request: string): Uint8Array | undefined {
  if (request.length > MAX_BYTES) return undefined;
  const text = Buffer.from(request, 'base64');
  const body = text.toString('latin1').slice(BEGIN.length, -END.length);
  const bytes = Buffer.from(body, 'base64');
  const canonical = Buffer.from(encodePem(bytes), 'latin1').toString('base64');
  return bytes.length > 0 && canonical === request ? bytes : undefined;
}

function encodePem(bytes: Buffer): string {
  return `${BEGIN}${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}${END}`;
}
