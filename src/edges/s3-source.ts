import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Dispatcher } from 'undici';
import { awsDefaults, awsTrouble, statusOf } from './aws.ts';
import { reading } from './http-client.ts';
import type { OpenedSource, OpenOptions } from './source-trouble.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A client of S3, with the credentials, endpoint and region of AWS's usual variables and files. */
export function s3Client(client: Dispatcher, environment: Environment): S3Client {
  const ownEndpoint = environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL'];
  return new S3Client({
    ...awsDefaults(client),
    ...regionOf(environment),
    // Servers other than AWS rarely have a host name for each bucket.
    ...(ownEndpoint === undefined ? {} : { endpoint: ownEndpoint, forcePathStyle: true }),
    // What comes is compared with the lock; and a checksum of the whole does not fit the rest of a file.
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
  });
}

/** S3 wants a region even where it does not matter; a profile's own comes before the last resort. */
function regionOf(environment: Environment): { region?: string } {
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'];
  if (region !== undefined && region !== '') return { region };
  return environment['AWS_PROFILE'] === undefined ? { region: 'us-east-1' } : {};
}

/** Opens an object, s3://BUCKET/KEY, from some byte on. @throws SourceTrouble */
export async function openS3(client: S3Client, url: string, options: OpenOptions): Promise<OpenedSource> {
  const { offset, tag, signal } = options;
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
