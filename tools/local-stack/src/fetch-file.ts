import { EnvHttpProxyAgent, request } from 'undici';

/** 5 s to connect, 10 s of silence at most, 3 minutes in all; follows the redirect to the release store; through the proxy of HTTPS_PROXY where one is set. */
export async function fetchFile(url: string): Promise<{ bytes: Buffer } | { because: string }> {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: 5000 }, headersTimeout: 10_000, bodyTimeout: 10_000 });
  const signal = AbortSignal.timeout(180_000);
  try {
    let address = url;
    for (let hops = 0; hops < 5; hops += 1) {
      const { statusCode, headers, body } = await request(address, { dispatcher, signal });
      if (statusCode === 200) return { bytes: Buffer.from(await body.arrayBuffer()) };
      await body.dump();
      const location = headers['location'];
      if (statusCode < 300 || statusCode > 399 || typeof location !== 'string') return { because: `${address} answered ${statusCode}` };
      address = new URL(location, address).href;
    }
    return { because: `${url} redirects too often` };
  } catch (error) {
    return { because: `${url} could not be fetched: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await dispatcher.destroy();
  }
}
