import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../base/audit.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../base/auth.options.js';
import type { Client } from '../core/clients/client.entity.js';
import { Clock, seconds } from '../base/clock.js';
import { KeyService } from '../core/keys/key.service.js';
import type { Lease, NewSession, Party } from '../core/sessions/lease.js';
import { SessionService } from '../core/sessions/session.service.js';
import { OwnClaimsService } from './claims/own-claims.service.js';
import type { TokenResponse } from './token-response.js';

/** What an access token is for: a user's session, or the client itself. */
interface Grantee {
  sub: string;
  scope: string[];
  groups: string[];
  sessionId?: string;
  account?: boolean;
  /** When the user proved who they are, in milliseconds since the Unix epoch. */
  authenticatedAt?: number;
  /** Thumbprint of the key that the token is bound to. */
  dpopJkt?: string;
  /** The host's own claims. */
  own?: Record<string, unknown>;
}

/** Turns what a grant decided into the tokens of the answer. Every grant ends with one call of it. */
@Injectable()
export class TokenIssuer {
  constructor(
    private readonly sessions: SessionService,
    private readonly keys: KeyService,
    private readonly ownClaims: OwnClaimsService,
    private readonly clock: Clock,
    private readonly audit: Audit,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Signs a user in: opens a session and answers with its first tokens.
   * @returns undefined where `session.consume` said no
   * @throws AuthError permission_denied where the user is disabled
   */
  async signIn(party: Party, session: NewSession & { nonce?: string }): Promise<TokenResponse | undefined> {
    const lease = await this.sessions.open(party, session);
    if (!lease) return undefined;
    this.audit.record({
      event: 'sign_in',
      requestId: party.requestId,
      clientId: party.client.id,
      sub: session.sub,
      sessionId: lease.sessionId,
    });
    return this.forSession(party.client, lease, session.nonce).catch(async (error: unknown) => {
      await this.sessions.revoke(lease.sessionId); // nobody will ever hold its tokens
      throw error;
    });
  }

  /** Answers with the tokens of a session that was just opened or rotated. @throws what a host's OwnClaims throw */
  async forSession(client: Client, lease: Lease, nonce?: string): Promise<TokenResponse> {
    await this.keys.upToDate();
    const { user, scope, sessionId } = lease;
    const hasIdToken = scope.includes('openid');
    const session = { id: sessionId, authenticatedAt: lease.authenticatedAt };
    const own = this.ownClaims.isThere
      ? await this.ownClaims.of(hasIdToken ? ['access_token', 'id_token'] : ['access_token'], {
          user,
          client,
          scope,
          session,
        })
      : undefined;
    const { token_type, access_token, ...rest } = this.forGrantee(client, {
      sub: user.sub,
      scope,
      groups: user.groups,
      sessionId,
      account: lease.accountAccess,
      authenticatedAt: lease.authenticatedAt,
      dpopJkt: lease.dpopJkt,
      own: own?.access_token,
    });
    return {
      token_type,
      access_token,
      // a client that may not refresh has no use for a refresh token
      ...(client.grant_types.includes('refresh_token') ? { refresh_token: lease.refreshToken } : {}),
      ...(hasIdToken ? { id_token: this.idToken(client, lease, access_token, nonce, own?.id_token) } : {}),
      ...rest,
    };
  }

  /** Answers with an access token for the client itself (RFC 6749 §4.4.3: no refresh token). */
  async forClient({ client, dpopJkt, useProof }: Party, scope: string[]): Promise<TokenResponse> {
    await useProof?.();
    await this.keys.upToDate();
    const own = this.ownClaims.isThere ? await this.ownClaims.of(['access_token'], { client, scope }) : undefined;
    return this.forGrantee(client, { sub: client.id, scope, groups: [], dpopJkt, own: own?.access_token });
  }

  private forGrantee(client: Client, grantee: Grantee): TokenResponse {
    const { sub, scope, groups, sessionId, account, authenticatedAt, dpopJkt, own } = grantee;
    const iat = seconds(this.clock.now());
    const expires_in = client.access_token_ttl ?? this.options.accessTokenTtl;
    const words = scope.join(' ');
    // RFC 9068 §2.2
    const access_token = this.keys.sign('at+jwt', {
      iss: this.options.issuer,
      sub,
      aud: this.options.audience,
      exp: iat + expires_in,
      iat,
      jti: randomUUID(),
      client_id: client.id,
      scope: words,
      groups,
      auth_time: authenticatedAt === undefined ? undefined : seconds(authenticatedAt),
      sid: sessionId,
      account: account || undefined,
      cnf: dpopJkt === undefined ? undefined : { jkt: dpopJkt }, // RFC 9449 §6.1
      ...own,
    });
    return {
      token_type: dpopJkt === undefined ? 'Bearer' : 'DPoP',
      access_token,
      expires_in,
      scope: words,
      sub,
      groups,
      need_weda_resource: client.need_weda_resource,
    };
  }

  /** OpenID Connect Core §2, §3.1.3.6. */
  private idToken(
    client: Client,
    lease: Lease,
    accessToken: string,
    nonce?: string,
    own?: Record<string, unknown>,
  ): string {
    const iat = seconds(this.clock.now());
    return this.keys.sign('JWT', {
      iss: this.options.issuer,
      sub: lease.user.sub,
      aud: client.id,
      exp: iat + (client.access_token_ttl ?? this.options.accessTokenTtl),
      iat,
      auth_time: seconds(lease.authenticatedAt),
      nonce,
      at_hash: this.keys.halfHash(accessToken),
      sid: lease.sessionId,
      ...own,
    });
  }
}
