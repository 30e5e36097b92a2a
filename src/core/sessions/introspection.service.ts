import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Client } from '../clients/client.entity.js';
import { seconds } from '../../base/clock.js';
import type { AccessToken } from './access-token.js';
import { AccessTokenService } from './access-token.service.js';
import { type RefreshToken, RefreshTokens } from './refresh-token.js';
import { SessionService } from './session.service.js';

type Claims = Omit<AccessToken, 'aud' | 'jti' | 'groups'> & Partial<Pick<AccessToken, 'aud' | 'jti' | 'groups'>>;

/** What a living token says (RFC 7662 §2.2); an access token has a token_type and all of its claims. */
export type ActiveToken = { active: true; token_type?: 'Bearer' | 'DPoP' } & Claims;

/** The answer for a token; a dead one and a foreign one look alike. */
export type Introspection = ActiveToken | { active: false };

const INACTIVE: Introspection = { active: false };

/** Says whether a token works at this moment, and what for (RFC 7662). */
@Injectable()
export class IntrospectionService {
  constructor(
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: SessionService,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * @param client who asks: of refresh tokens it learns about its own alone
   * @param living the claims, where this request has found an access token to be alive already (livingTokenOf)
   */
  async introspect(token: string, client: Client, living?: AccessToken): Promise<Introspection> {
    const refreshToken = living ? undefined : this.refreshTokens.read(token);
    return refreshToken ? this.refreshToken(refreshToken, client) : this.accessToken(token, living);
  }

  /** The same for access tokens alone. */
  async accessToken(token: string, living?: AccessToken): Promise<Introspection> {
    const claims = living ?? (await this.living(token));
    if (!claims || !this.accessTokens.isOfNow(claims)) return INACTIVE;
    return { active: true, token_type: claims.cnf ? 'DPoP' : 'Bearer', ...claims }; // RFC 9449 §6.2
  }

  private async living(token: string): Promise<AccessToken | undefined> {
    const claims = await this.accessTokens.verify(token);
    return claims && (await this.accessTokens.isLive(claims)) ? claims : undefined;
  }

  private async refreshToken({ sessionId, generation }: RefreshToken, client: Client): Promise<Introspection> {
    const session = await this.sessions.findAlive(sessionId);
    // an older generation lives on for nobody but who retries a lost answer
    if (!session || session.client_id !== client.id || generation < session.generation) return INACTIVE;
    return {
      active: true,
      iss: this.options.issuer,
      sub: session.sub,
      client_id: session.client_id,
      scope: session.scope.join(' '),
      iat: seconds(session.rotated_at ?? session.created_at),
      exp: seconds(session.expires_at),
      sid: session.id,
      ...(session.dpop_jkt === null ? {} : { cnf: { jkt: session.dpop_jkt } }),
    };
  }
}
