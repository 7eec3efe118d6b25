import type { S3Client } from '@aws-sdk/client-s3';
import { refusal, troubleOf } from './http-client.ts';
import { SourceTrouble, type OpenedSource, type OpenOptions } from './source-trouble.ts';

/** Opens an object, s3://BUCKET/KEY, from some byte on. @throws SourceTrouble */
export async function openS3(client: S3Client, url: string, options: OpenOptions): Promise<OpenedSource> {
  const { offset, tag, signal } = options;
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const input = {
    ...placeOf(url),
    ...(offset === 0 ? {} : { Range: `bytes=${offset}-`, ...(tag === undefined ? {} : { IfMatch: tag }) }),
  };
  try {
    const { Body, ContentRange, ContentLength, ETag } = await client.send(new GetObjectCommand(input), {
      abortSignal: signal,
    });
    const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(ContentRange ?? '') ?? [];
    const body = reading(Body as AsyncIterable<Uint8Array>, signal);
    return first === undefined
      ? { offset: 0, size: ContentLength, tag: ETag, body }
      : { offset: Number(first), size: Number(size), tag: ETag, body };
  } catch (error) {
    signal.throwIfAborted();
    // Another version (IfMatch), or less than we have: from the start.
    if (offset > 0 && [412, 416].includes(statusOf(error))) return openS3(client, url, { ...options, offset: 0 });
    throw awsTrouble(error);
  }
}

/** @throws SourceTrouble */
export async function sizeByS3(client: S3Client, url: string, signal: AbortSignal): Promise<number | undefined> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
  try {
    const { ContentLength } = await client.send(new HeadObjectCommand(placeOf(url)), { abortSignal: signal });
    return ContentLength;
  } catch (error) {
    signal.throwIfAborted();
    throw awsTrouble(error);
  }
}

function placeOf(url: string): { Bucket: string; Key: string } {
  const { host, pathname } = new URL(url);
  return { Bucket: host, Key: decodeURIComponent(pathname.slice(1)) };
}

/** What AWS, or a server like it, answered. */
export function awsTrouble(error: unknown): SourceTrouble {
  const { name, message } = error as Error;
  if (name === 'CredentialsProviderError' || /Could not load credentials|Token is expired/.test(message)) {
    const remedy = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE';
    return new SourceTrouble(`there are no credentials for it: ${message}; ${remedy}`, { again: false });
  }
  const status = statusOf(error);
  if (status === 0) return troubleOf(error);
  const { again, retryAfterMs } = refusal(status, {});
  if (['NoSuchKey', 'NotFound'].includes(name))
    return new SourceTrouble('it has no such object (HTTP 404)', { again, missing: true });
  // Of HEAD there is no more than the number.
  const detail = name === String(status) || message === 'UnknownError' ? '' : `${name}: ${message} `;
  return new SourceTrouble(`it answers ${detail}(HTTP ${status})`, { again, retryAfterMs });
}

function statusOf(error: unknown): number {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
}

async function* reading(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw troubleOf(error);
  }
}
