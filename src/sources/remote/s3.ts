import { Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import { stopIfAborted } from '../bytes/stop.js';
import {
  type Answer,
  type Asked,
  Changed,
  contentRange,
  isStrong,
  NoSuchRange,
  Passing,
  rangeOf,
  type Transport,
} from './answer.js';
import { plainEncoding } from './http.js';
import { networkError } from './network-error.js';
import type { RemoteTiming } from './retry.js';

/** The package that speaks with S3: large, and needed by few. */
type Package = typeof import('@aws-sdk/client-s3');

/**
 * The object `s3://bucket/key`, read as whoever the AWS variables, profile or machine say (the SDK's own rules, also for
 * region and endpoint). Throws usage `bad_url`, failed `no_s3_client`.
 */
export async function s3Transport(path: string, timing: RemoteTiming): Promise<Transport> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/is.exec(path) ?? [];
  if (bucket === undefined || key === undefined) throw remoteErrors.bad_url.s3({ input: path });
  const sdk = await loaded(path);
  return new S3Transport(path, sdk, await clientFor(sdk, timing), { Bucket: bucket, Key: key });
}

async function loaded(input: string): Promise<Package> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_MODULE_NOT_FOUND' ? 'it is not installed' : message;
    throw remoteErrors.no_s3_client({ input, why }, { cause: error });
  }
}

async function clientFor({ S3Client }: Package, { connectMs, answerMs }: RemoteTiming): Promise<S3Client> {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const options = {
    // Of another provider's names of buckets nobody knows whether they are names of hosts.
    forcePathStyle: (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL ?? '') !== '',
    followRegionRedirects: true,
    // Attempts are ours: they go on at the byte.
    maxAttempts: 1,
    responseChecksumValidation: 'WHEN_REQUIRED' as const,
    requestHandler: { connectionTimeout: connectMs, requestTimeout: answerMs },
  };
  const client = new S3Client(options);
  const region = await client.config.region().catch(() => undefined);
  if (region !== undefined) return client;
  client.destroy();
  // S3 says there in which region a bucket is.
  return new S3Client({ ...options, region: 'us-east-1' });
}

class S3Transport implements Transport {
  readonly etagOfContent = true;
  #met = false;

  constructor(
    readonly name: string,
    private readonly sdk: Package,
    private readonly client: S3Client,
    private readonly object: { readonly Bucket: string; readonly Key: string },
  ) {}

  async ask(asked: Asked): Promise<Answer> {
    const { of, signal } = asked;
    const range = rangeOf(asked);
    const command = new this.sdk.GetObjectCommand({
      ...this.object,
      ...(range === undefined ? {} : { Range: range }),
      ...(isStrong(of?.etag) ? { IfMatch: of.etag } : {}),
    });
    try {
      const found = await this.client.send(command, { abortSignal: signal });
      this.#met = true;
      return this.#answer(found);
    } catch (error) {
      stopIfAborted({ signal });
      throw this.#meant(error);
    }
  }

  close(): void {
    this.client.destroy();
  }

  #answer(found: GetObjectCommandOutput): Answer {
    const {
      Body: body,
      ContentRange,
      ContentLength: size,
      ETag: etag,
      LastModified,
      ContentEncoding,
    } = found;
    if (!(body instanceof Readable))
      throw remoteErrors.bad_answer({ input: this.name, why: 'it has no body' });
    const range = contentRange(ContentRange);
    return {
      etag,
      modified: LastModified?.toUTCString(),
      date: undefined,
      encoding: plainEncoding(ContentEncoding),
      body,
      ...(range === undefined ? { start: 0, partial: false, size } : { ...range, partial: true }),
    };
  }

  /** What an error of the SDK's means. */
  #meant(error: unknown): Error {
    const { name, message, $metadata, Code = name } = error as SdkError;
    const status = $metadata?.httpStatusCode;
    const of = { input: this.name };
    const known = { cause: error };
    if (status === 412) return new Changed(message);
    if (status === 416) return new NoSuchRange(emptySize(error));
    if (/CredentialsProvider|TokenProvider/.test(name))
      return remoteErrors.url_denied.noKeys({ ...of, why: message }, known);
    if (status === undefined) return networkError(error, this.name, this.object.Bucket, this.#met);
    const why = message === '' || message === Code ? `${status} ${Code}` : `${Code}: ${message}`;
    if (status === 404) return remoteErrors.url_not_found({ ...of, status: why }, known);
    if (status >= 500 || status === 429 || status === 408)
      return new Passing(`S3 says ${why}`, undefined, known);
    return status === 401 || status === 403 || /Expired|Token|Signature|AccessKey/.test(Code)
      ? remoteErrors.url_denied.s3({ ...of, why }, known)
      : remoteErrors.url_refused({ ...of, status: why }, known);
  }
}

/** What errors of the SDK have, those of the service and those of the way there. */
interface SdkError extends Error {
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Of an empty object no range is to be had: S3 says so by ActualObjectSize. */
function emptySize(error: unknown): number | undefined {
  const { ActualObjectSize: size } = error as { ActualObjectSize?: string | number };
  return size === undefined ? undefined : Number(size);
}
