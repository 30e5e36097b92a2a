import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import { SCOPE } from '../../core/clients/scope.js';
import { CLAIMS_OF_SCOPE } from '../../core/users/claims.js';
import { type ClaimPlace, type ClaimsContext, OwnClaims } from './own-claims.js';

/** Most bytes that a host's claims may have in one token, as JSON: a token travels in a header, of which proxies take 4 to 8 KiB. */
const MAX_BYTES = 2048;

/** What RFC 7519, 7662, 7800, 8693, 9068, 9449, OpenID Connect or we have given a meaning. */
const RESERVED = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'groups', 'sid', 'account', 'cnf', 'act'],
  ...['may_act', 'auth_time', 'nonce', 'at_hash', 'c_hash', 's_hash', 'acr', 'amr', 'azp', 'sub_jwk', 'events', 'htm'],
  ...['htu', 'ath', 'active', 'token_type', 'username', 'authorization_details', '_claim_names', '_claim_sources'],
]);
const STANDARD = new Set<string>(Object.values(CLAIMS_OF_SCOPE).flat());

/** What a host's own claims are for one user, client and scope, by where they stand. */
export type ClaimsOf = Partial<Record<ClaimPlace, Record<string, unknown>>>;

/** Asks a host for its claims, and holds it to what it has declared. */
@Injectable()
export class OwnClaimsService {
  private readonly declared: [name: string, places: ClaimPlace[], scope: string | undefined][];

  /** @throws Error where a name is taken, or a scope is none */
  constructor(private readonly own: OwnClaims) {
    this.declared = Object.entries(own.claims).map(([name, claim]) => [name, claim.in, claim.scope]);
    for (const [name, places, scope] of this.declared) {
      const isTaken = RESERVED.has(name) || (STANDARD.has(name) && places.includes('userinfo'));
      if (isTaken) throw new Error(`OwnClaims: the claim ${name} has a meaning already`);
      if (name === '' || places.length === 0) throw new Error(`OwnClaims: the claim ${name} stands nowhere`);
      if (scope !== undefined && !(SCOPE.test(scope) && !scope.includes(' '))) {
        throw new Error(`OwnClaims: the claim ${name} needs a scope word, not ${JSON.stringify(scope)}`);
      }
    }
  }

  /** Whether a host has any. */
  get isThere(): boolean {
    return this.declared.length > 0;
  }

  /** What the discovery document tells of them. */
  get supported(): { claims: string[]; scopes: string[] } {
    const told = this.declared.filter(([, places]) => places.some((place) => place !== 'access_token'));
    const scopes = this.declared.flatMap(([, , scope]) => scope ?? []);
    return { claims: told.map(([name]) => name), scopes: [...new Set(scopes)] };
  }

  /**
   * @returns undefined where there is nothing to tell
   * @throws AuthError internal where they are too large; what the host throws
   */
  async of(places: ClaimPlace[], context: Omit<ClaimsContext, 'names'>): Promise<ClaimsOf | undefined> {
    const { scope } = context;
    const told = this.declared.filter(
      ([, there, word]) =>
        places.some((place) => there.includes(place)) && (word === undefined || scope.includes(word)),
    );
    if (told.length === 0) return undefined;
    const values = await this.own.valuesFor({ ...context, names: told.map(([name]) => name) });
    return Object.fromEntries(
      places.map((place) => {
        const here = told.filter(([, there]) => there.includes(place)).map(([name]) => [name, values[name]] as const);
        return [place, bounded(place, Object.fromEntries(here))];
      }),
    );
  }
}

function bounded(place: ClaimPlace, claims: Record<string, unknown>): Record<string, unknown> {
  const bytes = Buffer.byteLength(JSON.stringify(claims));
  if (place === 'userinfo' || bytes <= MAX_BYTES) return claims;
  const what = `OwnClaims: ${Object.keys(claims).join(', ')} have ${bytes} bytes in the ${place}, more than ${MAX_BYTES}`;
  throw new AuthError('internal', { reason: 'INTERNAL', cause: new Error(what) });
}
