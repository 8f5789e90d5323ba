import { type DocumentKey, type DocumentStore, StoreFailure } from './document-store.port.js';

export interface S3Settings {
  bucket: string;
  /** Without slashes at its ends; may be empty. */
  prefix: string;
  /** Of a store that is not Amazon's: MinIO, Ceph, R2. Credentials and region come from where the AWS SDK looks for them. */
  endpoint: string | null;
  /** Instead of what the SDK finds. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  region?: string;
}

/** One attempt, its tries included: a rendering waits for it. */
const TIMEOUT_MS = 5000;
/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: who we are, or what we may, is wrong. */
const DENIED = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AccountProblem',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'CredentialsProviderError',
]);

/** Documents as objects `<prefix>/<tenant>/<receipt>/<sha256>.pdf`. An object is never overwritten by other bytes, so a reader sees a whole one or none. */
export async function s3Store({ bucket, prefix, endpoint, ...given }: S3Settings): Promise<DocumentStore & { close(): void }> {
  // Loaded here and not above: it takes longer than the rest of the service, and most do without it.
  const { GetObjectCommand, PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({ ...given, maxAttempts: 2, ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }) });
  const keyOf = ({ tenant, receiptId, sha256 }: DocumentKey) => [prefix, tenant, receiptId, `${sha256}.pdf`].filter(Boolean).join('/');
  return {
    name: 's3',
    close: () => client.destroy(),
    async put(key, pdf) {
      const object = { Bucket: bucket, Key: keyOf(key), Body: pdf, ContentType: 'application/pdf' };
      await answered(client.send(new PutObjectCommand(object), { abortSignal: AbortSignal.timeout(TIMEOUT_MS) }));
      return async () => undefined;
    },
    async get(key) {
      const object = { Bucket: bucket, Key: keyOf(key) };
      const found = await answered(
        client.send(new GetObjectCommand(object), { abortSignal: AbortSignal.timeout(TIMEOUT_MS) }).catch(nullWhenMissing),
      );
      return found?.Body ? answered(found.Body.transformToByteArray()) : null;
    },
  };
}

/** Without the right to list, S3 says AccessDenied of an object that is not there: that stays a failure, because nobody can tell. */
function nullWhenMissing(error: unknown): null {
  if (error instanceof Error && error.name === 'NoSuchKey') return null;
  throw error;
}

async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const { name, message, $metadata } = cause as Error & { $metadata?: { httpStatusCode?: number } };
    const denied = DENIED.has(name) || [401, 403].includes($metadata?.httpStatusCode ?? 0);
    throw new StoreFailure(denied ? 'store_access_denied' : 'store_unavailable', `${name}: ${message}`, { cause });
  }
}
