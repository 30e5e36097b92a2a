import { ANONYMOUS, ANONYMOUS_SCOPE } from '../first-party.js';
import { Clock } from '../../base/clock.js';
import { purpose, ServiceSecret } from '../../base/crypto/service-secret.js';
import { missing } from '../../base/http/rules.js';
import type { Party } from '../../core/sessions/lease.js';
import { GrantHandler, type Grant } from '../../token/grant.js';
import { TokenIssuer } from '../../token/token-issuer.js';
import type { TokenResponse } from '../../token/token-response.js';
import { BuiltInUsers } from '../../core/users/built-in-users.js';

const ANONYMOUS_DEVICE = purpose('anonymous-device');

export class AnonymousParameters {}

/** Signs a device in without asking who is there: one device (`x-device-id`) is one anonymous user. */
@GrantHandler(ANONYMOUS, AnonymousParameters, { captcha: 'sign_in_anonymously' })
export class AnonymousGrant implements Grant<AnonymousParameters> {
  constructor(
    private readonly users: BuiltInUsers,
    private readonly tokens: TokenIssuer,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
  ) {}

  async exchange(_: AnonymousParameters, party: Party): Promise<TokenResponse> {
    if (party.deviceId === undefined) throw missing('x-device-id');
    const authenticatedAt = this.clock.now();
    const { sub, version } = await this.users.table().anonymous(this.secret.hash(ANONYMOUS_DEVICE, party.deviceId));
    const response = await this.tokens.signIn(party, { sub, scope: [ANONYMOUS_SCOPE], authenticatedAt, version });
    return response!; // no code to consume
  }
}
