import { Inject, Injectable } from '@nestjs/common';
import { Clock, seconds } from '../../base/clock.js';
import { jsonObject, parseJws } from '../../core/keys/jws.js';
import { verifiedJwt } from '../../core/keys/verified-jwt.js';
import { type AccessToken, type AccessTokenReader, isAccessToken, isOfNow } from '../../core/sessions/access-token.js';
import { Introspector } from './introspector.js';
import { IssuerKeys } from './issuer-keys.js';
import { IssuerMetadata } from './issuer-metadata.js';
import { RESOURCE_SERVER_OPTIONS, type ResolvedResourceServerOptions } from './resource-server.options.js';

interface TrustedIssuer {
  audience: string;
  keys: IssuerKeys;
  introspector: Introspector;
}

/** Reads the access tokens of the issuers that are trusted. Nobody is asked before the first token comes. */
@Injectable()
export class RemoteAccessTokens implements AccessTokenReader {
  private readonly issuers: ReadonlyMap<unknown, TrustedIssuer>;

  constructor(
    private readonly clock: Clock,
    @Inject(RESOURCE_SERVER_OPTIONS) { issuers, liveFor }: ResolvedResourceServerOptions,
  ) {
    const trusted = issuers.map(({ issuer, audience, client }): [string, TrustedIssuer] => {
      const metadata = new IssuerMetadata(issuer, clock);
      const introspector = new Introspector(metadata, client, liveFor, clock);
      return [issuer, { audience, keys: new IssuerKeys(metadata, clock), introspector }];
    });
    this.issuers = new Map(trusted);
  }

  async verify(token: string, { expired = false } = {}): Promise<AccessToken | undefined> {
    const iss = issuerOf(token);
    const trusted = this.issuers.get(iss);
    if (!trusted) return undefined;
    const claims = await verifiedJwt('at+jwt', token, (kid, alg) => trusted.keys.find(kid, alg));
    if (!isAccessToken(claims, iss as string, trusted.audience)) return undefined;
    return expired || isOfNow(claims, seconds(this.clock.now())) ? claims : undefined;
  }

  isLive({ iss }: AccessToken, token: string): Promise<boolean> {
    return this.issuers.get(iss)!.introspector.isActive(token);
  }
}

/** Whose token it says to be: that decides whose key it must be signed by. */
function issuerOf(token: string): unknown {
  const jws = parseJws(token);
  return jws && jsonObject(jws.payload)?.['iss'];
}
