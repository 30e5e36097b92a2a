import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { ClientService, Clock, KeyService, SessionService, UserService } from '../../src/index.js';
import { startHost } from '../host.js';
import { ISSUER, type FakeClock } from '../service.js';

/** An application that guards routes, and who issues the tokens that it takes. */
export interface Guarded {
  app: INestApplication;
  url: string;
  clock: FakeClock;
  /** Ada's `sub`. */
  sub: string;
  /** Signs an access token of these claims, right in everything but what is said. */
  sign(changes?: object): string;
  /** Ada signs in. @returns her access token */
  signIn(body?: object, headers?: Record<string, string>): Promise<string>;
  /** Ends all of Ada's sessions. */
  signOut(): Promise<unknown>;
  close: () => Promise<unknown>;
}

/** Where the application issues tokens itself, by AuthModule. */
export async function embedded(own: ModuleMetadata): Promise<Guarded> {
  const host = await startHost(own, { limitIp: false, limitClient: false });
  return { ...host, ...(await issuerOf(host.app, host.url, ISSUER, ISSUER)) };
}

/** What is asked of the application that issues tokens. */
export async function issuerOf(app: INestApplication, url: string, iss: string, aud: string) {
  const scopes = ['openid', 'orders', 'admin'];
  const ada = { client_id: 'app', username: 'ada', password: 'correct horse' };
  await app
    .get(ClientService)
    .create({ id: 'app', public: true, grant_types: ['password'], scopes, default_scope: ['orders'] });
  const { id: sub } = await app.get(UserService).create({ ...ada, groups: ['staff'] });
  const now = () => Math.floor(app.get(Clock).now() / 1000);
  const claims = () => ({
    iss,
    sub,
    aud,
    exp: now() + 60,
    iat: now(),
    jti: 'x',
    client_id: 'app',
    scope: '',
    groups: [],
  });
  return {
    sub,
    sign: (changes: object = {}) => app.get(KeyService).sign('at+jwt', { ...claims(), ...changes }),
    signIn: async (body: object = {}, headers: Record<string, string> = {}) => {
      const sent = { grant_type: 'password', ...ada, ...body };
      const answer = await fetch(`${url}/auth/v1/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(sent),
      });
      return ((await answer.json()) as { access_token: string }).access_token;
    },
    signOut: () => app.get(SessionService).revokeAll({ sub }),
  };
}
