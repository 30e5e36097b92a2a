import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { Injectable } from '@nestjs/common';
import { isPublicAddress } from './public-address.js';

/** Largest JWKS, in bytes. */
const MAX_JWKS = 64 * 1024;

/**
 * Fetches the JWKS that a client publishes, from public addresses alone and without following anything: whoever
 * registers a client must not get to see or touch what only this service can reach. A host may replace it by this
 * class token.
 */
@Injectable()
export class JwksFetcher {
  /** How long all of it may take, in milliseconds. */
  protected readonly timeout: number = 5000;

  /** @returns the parsed JSON, whatever it is. @throws Error that says what went wrong, for the log */
  async fetch(uri: string): Promise<unknown> {
    const url = new URL(uri);
    if (url.protocol !== 'https:') throw new Error('jwks_uri is not https');
    const signal = AbortSignal.timeout(this.timeout);
    const addresses = await before(signal, this.resolve(url.hostname.replace(/^\[|\]$/g, '')));
    if (addresses.length === 0 || !addresses.every(({ address }) => this.isAllowed(address))) {
      throw new Error('jwks_uri leads to an address that is not public');
    }
    const response = await answered(url, { signal, ...this.connection(addresses) });
    if (response.statusCode !== 200) {
      response.destroy(); // a redirect too: where it leads was not checked
      throw new Error(`jwks_uri answered ${response.statusCode}`);
    }
    return JSON.parse(await textOf(response));
  }

  protected resolve(host: string): Promise<LookupAddress[]> {
    return lookup(host, { all: true });
  }

  protected isAllowed(address: string): boolean {
    return isPublicAddress(address);
  }

  /** Connects to the very addresses that were checked: a second look-up could say something else (DNS rebinding). */
  protected connection(addresses: LookupAddress[]): RequestOptions {
    const [{ address, family }] = addresses as [LookupAddress];
    return {
      agent: false,
      lookup: (_host, { all }, done) => (all ? done(null, addresses) : done(null, address, family)),
    };
  }
}

function answered(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const headers = { Accept: 'application/jwk-set+json, application/json' };
  return new Promise((resolve, reject) => {
    request(url, { ...options, headers }, resolve)
      .on('error', reject)
      .end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_JWKS) throw new Error(`jwks_uri answered more than ${MAX_JWKS} bytes`); // which ends the download
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The work's result, unless the signal comes first: a name look-up cannot be called off. */
function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}
