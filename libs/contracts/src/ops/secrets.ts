import { z } from 'zod';

/** Every process answers for itself: `<service>.rpc.secret.list.v1`, without a request body. */
export const secretListSubject = (service: string): string => `${service}.rpc.secret.list.v1`;

/** A secret that a process uses, told apart but not told. */
export const SecretFingerprint = z.object({
  /** Of the setting. */
  name: z.string(),
  /** `sha256:` and 8 hexadecimal digits of the secret itself. */
  fingerprint: z.string(),
  /** What kind of secret it is by its prefix (`sk_test`, `rk_live`, `whsec`, `postgres`); null when nothing shows. */
  kind: z.string().nullable(),
  source: z.enum(['environment', 'file']),
});
export type SecretFingerprint = z.infer<typeof SecretFingerprint>;

export const ProcessSecrets = z.object({ service: z.string(), instance: z.string(), secrets: z.array(SecretFingerprint) });
export type ProcessSecrets = z.infer<typeof ProcessSecrets>;

/** All processes that answered, and the services of which none did. */
export const SecretFingerprintsView = z.object({
  object: z.literal('secret_fingerprints'),
  data: z.array(ProcessSecrets),
  silent: z.array(z.string()),
});
export type SecretFingerprintsView = z.infer<typeof SecretFingerprintsView>;
