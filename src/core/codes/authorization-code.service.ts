import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { In, IsNull, LessThanOrEqual, MoreThan } from 'typeorm';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { ClientService } from '../clients/client.service.js';
import { grantScope } from '../clients/scope.js';
import { Clock } from '../../base/clock.js';
import { generateSecret, purpose, sameHash, ServiceSecret } from '../../base/crypto/service-secret.js';
import { AuthDatabase } from '../../base/database/auth-database.js';
import { Sweeps } from '../../base/database/sweeper.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { malformed, SHA_256 } from '../../base/http/rules.js';
import { type Holder, Holds } from '../holdings/holdings.service.js';
import { rowsOf, type Whose } from '../sessions/whose.js';
import { Users, versionOf } from '../users/users.js';
import { AuthorizationCode } from './authorization-code.entity.js';
import { isRegistered } from './redirect-uri.js';

/** How long a used code is kept beyond its expiry, in milliseconds, so that a replay is still recognized. */
const KEPT_FOR = 3_600_000;
/** When a code that was taken back has expired: on every node, however far behind its clock is. */
const LONG_AGO = 0;
const CODE = purpose('authorization-code', 600_000 + KEPT_FOR);

export interface AuthorizationRequest {
  clientId: string;
  /** The user who consents. */
  sub: string;
  /** One of the client's redirect URIs, to the letter; a loopback one may have any port (RFC 8252 §7.3). */
  redirectUri: string;
  /** Space-separated; left out: the client's default scope. */
  scope?: string;
  /** RFC 7636 §4.3, base64url of a SHA-256; required for public clients. */
  codeChallenge?: string;
  /** Only S256 is known. */
  codeChallengeMethod?: string;
  nonce?: string;
  /** Thumbprint (RFC 7638) of the key that the redemption must prove (`dpop_jkt`, RFC 9449 §10). */
  dpopJkt?: string;
  /** The browser session that the user is signed in by; the code and what it gives end with it. */
  browserSessionId?: string;
  /** When the user proved who they are, in milliseconds since the Unix epoch. Default: now. */
  authenticatedAt?: number;
  /** The user's version (User.version) that this was checked against. Default: the one of this moment. */
  version?: number;
}

/** Issues authorization codes (RFC 6749 §4.1) and uses them up. */
@Injectable()
@Sweeps()
@Holds('codes')
export class AuthorizationCodeService implements Holder {
  private readonly codes = this.database.repository(AuthorizationCode);

  constructor(
    private readonly database: AuthDatabase,
    private readonly clients: ClientService,
    private readonly users: Users,
    private readonly secret: ServiceSecret,
    private readonly clock: Clock,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  /**
   * Issues a code for a user who is signed in and has consented.
   * @returns the code, 43 characters, this once
   * @throws AuthError invalid_client, permission_denied, invalid_argument, invalid_scope
   */
  async issue(request: AuthorizationRequest): Promise<string> {
    const client = (await this.clients.find(request.clientId))?.client;
    if (!client || client.disabled) throw new AuthError('invalid_client', { reason: 'CLIENT_UNKNOWN' });
    if (!client.grant_types.includes('authorization_code')) {
      throw new AuthError('permission_denied', { reason: 'GRANT_TYPE_NOT_ALLOWED' });
    }
    if (!isRegistered(client.redirect_uris, request.redirectUri)) {
      throw badField('redirect_uri', 'PARAMETER_INVALID', 'is not registered for this client');
    }
    if (request.codeChallenge === undefined && client.public) {
      throw badField('code_challenge', 'PARAMETER_MISSING', 'is required for public clients');
    }
    if (request.codeChallenge !== undefined && !SHA_256.pattern.test(request.codeChallenge)) {
      throw malformed('code_challenge', SHA_256);
    }
    if (request.codeChallenge !== undefined && (request.codeChallengeMethod ?? 'S256') !== 'S256') {
      throw badField('code_challenge_method', 'PARAMETER_INVALID', 'must be S256');
    }
    if (request.dpopJkt !== undefined && !SHA_256.pattern.test(request.dpopJkt)) {
      throw malformed('dpop_jkt', SHA_256);
    }
    const now = this.clock.now();
    const code = generateSecret();
    await this.codes.insert({
      hash: this.secret.hash(CODE, code),
      client_id: client.id,
      sub: request.sub,
      scope: grantScope(client, request.scope),
      redirect_uri: request.redirectUri,
      code_challenge: request.codeChallenge ?? null,
      nonce: request.nonce ?? null,
      dpop_jkt: request.dpopJkt ?? null,
      authenticated_at: request.authenticatedAt ?? now,
      credentials_version: request.version ?? versionOf(await this.users.find(request.sub, { fresh: true })),
      expires_at: now + this.options.authorizationCodeTtl * 1000,
      browser_session_id: request.browserSessionId ?? null,
      session_id: null,
    });
    return code;
  }

  /** The code as it was issued, used or not; undefined: not one of ours. */
  async find(code: string): Promise<AuthorizationCode | undefined> {
    return (await this.codes.findOneBy({ hash: In(this.secret.hashes(CODE, code)) })) ?? undefined;
  }

  /** Uses a code up for a session. Of any number of parallel calls exactly one is told true. */
  async consume({ hash }: AuthorizationCode, sessionId: string): Promise<boolean> {
    const { affected } = await this.codes.update(
      { hash, session_id: IsNull(), expires_at: MoreThan(this.clock.now()) },
      { session_id: sessionId },
    );
    return affected === 1;
  }

  /** The browser session is over: none of its codes that were not used yet can be. */
  async expireIssuedFrom(browserSessionId: string): Promise<void> {
    const unused = { browser_session_id: browserSessionId, session_id: IsNull() };
    await this.codes.update(unused, { expires_at: LONG_AGO });
  }

  /** The same for every code of a user, of a client, or of a user for a client. */
  async expireIssued(of: Whose): Promise<void> {
    await this.codes.update({ ...rowsOf(of), session_id: IsNull() }, { expires_at: LONG_AGO });
    await this.database.flush();
  }

  /** Removes every code of a user or a client. @returns how many could still have been used */
  removeAll(of: Whose): Promise<number> {
    const unused = { session_id: IsNull(), expires_at: MoreThan(this.clock.now()) };
    return this.database.deleteAll(this.codes, 'hash', rowsOf(of), unused);
  }

  /** Removes at most `batch` codes that are long over. */
  removeExpired(batch: number): Promise<number> {
    const where = { expires_at: LessThanOrEqual(this.clock.now() - KEPT_FOR) };
    return this.database.deleteSome(this.codes, 'hash', where, batch);
  }
}

/** PKCE S256 (RFC 7636 §4.6); a verifier without a challenge is a downgrade attempt (RFC 9700 §4.8.2). */
export function verifierMatches(challenge: string | null, verifier: string | undefined): boolean {
  if (challenge === null || verifier === undefined) return challenge === null && verifier === undefined;
  return sameHash(createHash('sha256').update(verifier).digest('base64url'), challenge);
}
