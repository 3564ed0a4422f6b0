import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import type { Around, InputBytes } from '../../core/input-bytes.js';
import { isIncomplete, shownUrl } from '../../core/input-url.js';
import type { Transport } from './answer.js';
import { HttpTransport } from './http.js';
import { RemoteBytes } from './remote-bytes.js';
import { type RemoteTiming, remoteTiming } from './retry.js';

/**
 * What is at the URL `path`, in one version for all who share: that of the moment at which the first of them opened it.
 * Throws usage `bad_url`, `url_not_found`; failed `url_denied`, `url_refused`, `input_out_of_reach`, `untrusted_server`,
 * `no_s3_client`; refused `bad_redirect`; interrupted.
 */
export async function openRemote(path: string, { signal, share, log }: Around): Promise<InputBytes> {
  const timing = remoteTiming();
  return share(
    `bytes of ${path}`,
    async () => {
      const transport = await transportFor(path, timing);
      try {
        return await RemoteBytes.open(transport, timing, signal, log);
      } catch (error) {
        transport.close();
        throw error;
      }
    },
    (bytes) => bytes.close(),
  );
}

async function transportFor(path: string, timing: RemoteTiming): Promise<Transport> {
  const name = shownUrl(path);
  if (/^s3:/i.test(path)) {
    const { s3Transport } = await import('./s3.js');
    return s3Transport(path, timing);
  }
  if (isIncomplete(path)) throw remoteErrors.bad_url.incomplete({ input: name });
  if (!URL.canParse(path)) throw remoteErrors.bad_url.malformed({ input: name });
  return new HttpTransport(new URL(path), name, timing);
}
