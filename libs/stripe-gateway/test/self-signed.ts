import { generateKeyPairSync, sign } from 'node:crypto';

/** A certificate that nobody trusts, made anew each time: X.509 v1, P-256, for the common name `nobody`. */
export function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from('nobody')))));
  const algorithm = der(0x30, oid('2a8648ce3d040302'));
  const validity = der(0x30, utcTime('200101000000Z'), utcTime('491231235959Z'));
  const tbs = der(0x30, der(0x02, Buffer.from([1])), algorithm, name, validity, name, publicKey.export({ type: 'spki', format: 'der' }));
  const signature = der(0x03, Buffer.from([0]), sign('sha256', tbs, privateKey));
  const cert =
    der(0x30, tbs, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: ['-----BEGIN CERTIFICATE-----', ...cert, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text));

/** Tag, length, contents: https://www.itu.int/rec/T-REC-X.690 */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}
