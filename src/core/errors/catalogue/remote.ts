import { again } from '../../next.js';
import { installing } from '../../package.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS } from './state.js';

/** Where a login for a URL can stand. */
const LOGIN =
  'give a login: in ~/.netrc, as https://user:password@…, or as a header in SLUICE_HTTP_HEADERS (docs/remote.md)';

interface Of {
  /** The URL as it is shown. */
  readonly input: string;
}

interface AtHost extends Of {
  readonly host: string;
}

/** Errors of inputs that are named by a URL. */
export const remoteErrors = topic({
  bad_url: {
    malformed: misuse(({ input }: Of) => ({
      says: `${input} is no URL that can be asked for`,
      input,
      next: 'write https://host/path; what means something in a URL stands as %40 (@), %2F (/), %23 (#) in a name or password',
    })),
    scheme: misuse(({ input, scheme }: { input: string; scheme: string }) => ({
      says: `${scheme}:// is no place that inputs are read from`,
      input,
      next: 'http://, https:// and s3:// URLs can be read, and files by their path; fetch others by their own program, and pipe them in',
    })),
    s3: misuse(({ input }: Of) => ({
      says: `${input} names no object: a bucket and a key are needed`,
      input,
      next: 'write s3://bucket/path/of/the/object.csv',
    })),
    incomplete: misuse(({ input }: Of) => ({
      says: `${input} is not the whole URL: what is secret in one is neither shown nor kept, and stands as … there`,
      input,
      next: 'name the whole URL again (copy: as its file; run: --input or --source)',
    })),
    sqlite: misuse(({ input }: Of) => ({
      says: `${input} is an SQLite file, and those are read from this machine only`,
      input,
      next: 'fetch it and name the file',
    })),
  },
  bad_http_header: {
    line: misuse(({ line }: { line: number }) => ({
      says: `line ${line} of SLUICE_HTTP_HEADERS is no header for a host`,
      next: "write a line for each: SLUICE_HTTP_HEADERS='files.example.com Authorization: Bearer …'",
    })),
  },
  bad_proxy: misuse(({ variable }: { variable: string }) => ({
    says: `${variable} names no proxy that speaks HTTP`,
    next: `write ${variable}=http://proxy:3128, or name the host in NO_PROXY`,
  })),
  url_not_found: misuse(({ input, status }: { input: string; status: string }) => ({
    says: `there is nothing at ${input}: the server says ${status}`,
    input,
    next: 'check the URL; some servers say so, too, to who may not see it',
  })),
  url_denied: {
    unknown: failure(({ input, status }: { input: string; status: string }) => ({
      says: `${input} is for who logs in: the server says ${status}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: LOGIN,
    })),
    wrong: failure(({ input, status, from }: { input: string; status: string; from: string }) => ({
      says: `the server of ${input} does not take the login of ${from}: it says ${status}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: `correct the login of ${from}`,
    })),
    forbidden: failure(({ input, status }: { input: string; status: string }) => ({
      says: `${input} may not be read: the server says ${status}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: `check whether the URL has expired (signed ones do), and who may read it; or ${LOGIN}`,
    })),
    proxy: failure(({ input, status }: { input: string; status: string }) => ({
      says: `the proxy on the way to ${input} lets nobody through who does not log in: it says ${status}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'name its login in HTTPS_PROXY or HTTP_PROXY: http://user:password@proxy:3128',
    })),
    s3: failure(({ input, why }: { input: string; why: string }) => ({
      says: `${input} may not be read: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check whose credentials these are (aws sts get-caller-identity) and that they allow s3:GetObject for it',
    })),
    noKeys: failure(({ input, why }: { input: string; why: string }) => ({
      says: `nobody said who reads ${input}: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (as for the aws command)',
    })),
  },
  url_refused: failure(({ input, status }: { input: string; status: string }) => ({
    says: `the server does not give ${input}: it says ${status}`,
    input,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'check the URL, then' }),
  })),
  bad_redirect: {
    insecure: refusal(({ input, host }: AtHost) => ({
      says: `${input} is sent on to ${host} without TLS, where anybody on the way could change it`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'ask the server’s owner, or name the http:// URL itself, if that is good enough',
    })),
    nowhere: refusal(({ input }: Of) => ({
      says: `${input} is sent on to a place that is no http:// or https:// URL`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the URL; ask the server’s owner',
    })),
    endless: refusal(({ input, times }: { input: string; times: number }) => ({
      says: `${input} is sent on more than ${times} times`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the URL: a login that is missing may make a circle of it',
    })),
  },
  untrusted_server: {
    unknown: failure(({ input, host, why }: AtHost & { readonly why: string }) => ({
      says: `${host} cannot prove who it is: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'where its certificate is of your own authority: NODE_EXTRA_CA_CERTS=authority.pem, a file with the certificate of that',
    })),
    otherName: failure(({ input, host, why }: AtHost & { readonly why: string }) => ({
      says: `what answers as ${host} has a certificate of another name: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'name the host as its certificate does',
    })),
    outdated: failure(({ input, host, why }: AtHost & { readonly why: string }) => ({
      says: `the certificate of ${host} does not hold now: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the clock of this machine; else the server’s owner has to renew it',
    })),
    noTls: failure(({ input, host }: AtHost) => ({
      says: `${host} does not speak TLS at that port`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the port; or write http:// where a plain connection is good enough',
    })),
    noHttp: failure(({ input, host }: AtHost) => ({
      says: `what answers at ${host} does not speak HTTP`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the port; or write https://',
    })),
  },
  input_out_of_reach: {
    noHost: failure(({ input, host }: AtHost) => ({
      says: `there is no host ${host}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the URL, and that this machine reaches it; behind a proxy: HTTPS_PROXY',
    })),
    refused: failure(({ input, host }: AtHost) => ({
      says: `nothing answers at ${host}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check host and port, and whether the server runs',
    })),
    broken: failure(
      ({ input, why, at, times }: { input: string; why: string; at: number; times: number }) => ({
        says: `${input} cannot be read on from byte ${at}: ${why} (tried ${times} times)`,
        input,
        offset: at,
        state: AS_THE_COMMAND_ENDS,
        next: again(
          {},
          { lead: 'once the server answers (SLUICE_HTTP_TIMEOUT=300 waits 300 s for one that is slow)' },
        ),
      }),
    ),
    later: failure(({ input, why, seconds }: { input: string; why: string; seconds: number }) => ({
      says: `the server of ${input} does not want to be asked for ${seconds} s: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'after that' }),
    })),
    once: failure(({ input, why, at }: { input: string; why: string; at: number }) => ({
      says: `${input} broke off at byte ${at}, and the server gives nothing to know its next answer by: ${why}`,
      input,
      offset: at,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'or fetch it first, and name the file' }),
    })),
  },
  changed_while_read: refusal(
    ({ input, at, was, is }: { input: string; at: number; was: string; is: string }) => ({
      says: `${input} was changed while it was read, before byte ${at}: it had ${was}, and has ${is}`,
      input,
      offset: at,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'once nobody writes to it' }),
    }),
  ),
  bad_answer: failure(({ input, why }: { input: string; why: string }) => ({
    says: `the server of ${input} gives an answer that means nothing: ${why}`,
    input,
    state: AS_THE_COMMAND_ENDS,
    next: 'fetch it by other means, and name the file',
  })),
  no_s3_client: failure(({ input, why }: { input: string; why: string }) => ({
    says: `${input} takes the package @aws-sdk/client-s3, which cannot be loaded: ${why}`,
    input,
    state: AS_THE_COMMAND_ENDS,
    next: installing('@aws-sdk/client-s3'),
  })),
});
