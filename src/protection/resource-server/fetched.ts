/** How long an issuer may take to answer, in milliseconds. */
const TIMEOUT = 5000;
/** Largest answer, in bytes. */
const MAX_ANSWER = 256 * 1024;

export interface Fetched {
  body: unknown;
  /** Seconds for which it may be kept, as it says itself; undefined: it doesn't. */
  maxAge: number | undefined;
}

/**
 * What an issuer answers, parsed. Nothing is followed: where it would lead to is not who is trusted.
 * @throws Error that says what went wrong, for the log: never what was sent
 */
export async function fetched(url: string, init: RequestInit = {}): Promise<Fetched> {
  const signal = AbortSignal.timeout(TIMEOUT);
  const headers = { Accept: 'application/json', ...init.headers };
  const response = await fetch(url, { ...init, headers, signal, redirect: 'manual' });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const maxAge = /(?:^|[ ,])max-age=(\d{1,9})/.exec(response.headers.get('cache-control') ?? '')?.[1];
  return { body: JSON.parse(await textOf(response)), maxAge: maxAge === undefined ? undefined : Number(maxAge) };
}

async function textOf({ body, url }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER) throw new Error(`${url} answered more than ${MAX_ANSWER} bytes`); // which ends the download
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
