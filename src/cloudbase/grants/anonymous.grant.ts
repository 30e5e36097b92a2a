import { ANONYMOUS, ANONYMOUS_SCOPE } from '../grant-types.js';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { missing } from '../../base/http/rules.js';
import { AccessTokenService } from '../../core/sessions/access-token.service.js';
import type { Party } from '../../core/sessions/lease.js';
import { GrantHandler, type Grant } from '../../token/grant.js';
import { Token } from '../../token/rules.js';
import { TokenIssuer } from '../../token/token-issuer.js';
import type { TokenResponse } from '../../token/token-response.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';
import type { User } from '../../core/users/users.js';

const ANONYMOUS_DEVICE = purpose('anonymous-device');

export class AnonymousParameters {
  /** Access token of the anonymous user who comes back; it may have expired, but its session is alive. */
  @Token()
  anonymous_token?: string;
}

/**
 * Signs a device (`x-device-id`) in without asking who is there. Who holds a token of an anonymous user is that user;
 * anybody else is a new one, for a header that every server sees is no credential.
 */
@GrantHandler(ANONYMOUS, AnonymousParameters, { captcha: 'sign_in_anonymously' })
export class AnonymousGrant implements Grant<AnonymousParameters> {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly accessTokens: AccessTokenService,
    private readonly tokens: TokenIssuer,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  async exchange({ anonymous_token }: AnonymousParameters, party: Party): Promise<TokenResponse> {
    if (party.deviceId === undefined) throw missing('x-device-id');
    const users = this.users.table();
    const authenticatedAt = this.clock.now();
    const known = anonymous_token === undefined ? undefined : await this.holderOf(anonymous_token, party);
    const { sub, version } = known ?? (await users.anonymous(this.secret.hash(ANONYMOUS_DEVICE, party.deviceId)));
    const session = { sub, scope: [ANONYMOUS_SCOPE], authenticatedAt, version, accountAccess: true };
    const response = await this.tokens.signIn(party, session);
    return response!; // no code to consume
  }

  private async holderOf(anonymousToken: string, { dpopJkt }: Party): Promise<User | undefined> {
    const token = await this.accessTokens.verify(anonymousToken, { expired: true });
    if (!token?.account || token.scope !== ANONYMOUS_SCOPE) return undefined;
    if (token.cnf && token.cnf.jkt !== dpopJkt) return undefined;
    return (await this.accessTokens.isLive(token)) ? this.users.table().anonymousAgain(token.sub) : undefined;
  }
}
