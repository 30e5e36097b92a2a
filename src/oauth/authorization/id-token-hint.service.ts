import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { KeyService } from '../../core/keys/key.service.js';

/** Whom an id_token of ours was about, and for which client. */
export interface IdTokenHint {
  sub: string;
  clientId: string;
  /** The session that it was issued in. */
  sid?: string;
}

/** Longest hint that we would look at, in characters. */
export const MAX_ID_TOKEN_HINT = 4096;

/** Reads id_token_hint (OpenID Connect Core §3.1.2.1): an id_token of ours, which may have expired. */
@Injectable()
export class IdTokenHintService {
  constructor(
    private readonly keys: KeyService,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /** @returns undefined where it is not, by a key that is still published, an id_token of ours */
  async read(hint: string): Promise<IdTokenHint | undefined> {
    if (hint.length > MAX_ID_TOKEN_HINT) return undefined;
    const claims = await this.keys.verify('JWT', hint); // an access token (at+jwt) is no id_token
    if (!claims || claims['iss'] !== this.options.issuer) return undefined;
    const { sub, aud, sid } = claims as { sub?: string; aud?: string; sid?: string };
    return sub === undefined || aud === undefined ? undefined : { sub, clientId: aud, sid };
  }
}
