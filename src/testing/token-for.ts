import { randomBytes, randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../base/auth.options.js';
import { Clock, seconds } from '../base/clock.js';
import { ClientService } from '../core/clients/client.service.js';
import { KeyService } from '../core/keys/key.service.js';
import { SessionService } from '../core/sessions/session.service.js';
import { Users } from '../core/users/users.js';

/** What a token shall say; any further claim is taken as it is. */
export interface TokenClaims {
  /** Left out: a client's own token. */
  sub?: string;
  /** Space-separated. Default: none. */
  scope?: string;
  /** Default: the user's. */
  groups?: string[];
  /** Made, as a public client, where there is none. Default: `test`. */
  client_id?: string;
  /** Seconds from now; negative: it has expired. Default: the option `accessTokenTtl`. */
  expiresIn?: number;
  [claim: string]: unknown;
}

/** What has AuthModule or AuthTestingModule in it: an application, or the module that a test has compiled. */
type Container = Pick<INestApplicationContext, 'get'>;

/**
 * An access token that the real guard accepts, signed by the application's own key. A user whom `Users` knows gets a
 * session of their own, so that `@RequireLiveSession()` lets them in, too; anybody else's token has none.
 */
export async function tokenFor(app: Container, claims: TokenClaims = {}): Promise<string> {
  const { sub, scope = '', groups, client_id = 'test', expiresIn, ...more } = claims;
  const [keys, clients] = [app.get(KeyService, ANYWHERE), app.get(ClientService, ANYWHERE)];
  const { issuer, audience, accessTokenTtl } = app.get<ResolvedAuthOptions>(AUTH_OPTIONS, ANYWHERE);
  if ((await keys.list()).length === 0) await keys.rotate(); // no server has made one
  const client =
    (await clients.load(client_id))?.client ?? (await clients.create({ id: client_id, public: true })).client;
  const now = app.get(Clock, ANYWHERE).now();
  const user = sub === undefined ? undefined : await app.get(Users, ANYWHERE).find(sub, { fresh: true });
  const session = { sub: sub!, scope: scope.split(' ').filter(Boolean), authenticatedAt: now };
  const lease = user && (await app.get(SessionService, ANYWHERE).open({ client, requestId: 'test' }, session));
  await keys.upToDate();
  const iat = seconds(now);
  return keys.sign('at+jwt', {
    iss: issuer,
    aud: audience,
    sub: sub ?? client_id,
    exp: iat + (expiresIn ?? accessTokenTtl),
    iat,
    jti: randomUUID(),
    client_id,
    scope,
    groups: groups ?? user?.groups ?? [],
    sid: sub === undefined ? undefined : (lease?.sessionId ?? randomBytes(16).toString('base64url')),
    ...more,
  });
}

const ANYWHERE = { strict: false } as const;
