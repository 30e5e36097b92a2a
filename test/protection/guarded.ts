import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ClientService, Clock, KeyService, SessionService, UserService } from '../../src/index.js';
import { ResourceServerModule, type ResourceServerOptions } from '../../src/protection/resource-server/index.js';
import { startHost } from '../host.js';
import { type FakeClock, ISSUER, type Service, startService } from '../service.js';

/** An application that guards routes, and who issues the tokens that it takes. */
export interface Guarded {
  app: INestApplication;
  url: string;
  clock: FakeClock;
  /** Ada's `sub`. */
  sub: string;
  /** Signs an access token of these claims, right in everything but what is said. */
  sign: (changes?: object) => string;
  /** Ada signs in. @returns her access token */
  signIn: (body?: object, headers?: Record<string, string>) => Promise<string>;
  /** Ends all of Ada's sessions. */
  signOut: () => Promise<unknown>;
  close: () => Promise<unknown>;
}

/** Where the application issues tokens itself, by AuthModule. */
export async function embedded(own: ModuleMetadata): Promise<Guarded> {
  const host = await startHost(own, { limitIp: false, limitClient: false });
  return { ...host, ...(await issuerOf(host.app, host.url, ISSUER, ISSUER)) };
}

/** What the service beside is called. */
export const API = 'https://api.example.com';

/** Where another service issues the tokens, and this one knows no more of it than its URL, by ResourceServerModule. */
export async function remote(own: ModuleMetadata): Promise<Guarded> {
  const issuer = await startIssuer();
  const { app, url, close } = await startResourceServer(own, { issuer: issuer.url }, issuer.service.clock);
  return { ...issuer, app, url, clock: issuer.service.clock, close: () => Promise.all([close(), issuer.close()]) };
}

export async function startResourceServer(
  own: ModuleMetadata,
  options: Partial<ResourceServerOptions>,
  clock: Clock,
): Promise<Pick<Guarded, 'app' | 'url' | 'close'>> {
  const module = await Test.createTestingModule({
    ...own,
    imports: [
      ResourceServerModule.forRoot({
        issuer: [],
        audience: API,
        ...options,
        providers: [{ provide: Clock, useValue: clock }],
      }),
    ],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl(), close: () => app.close() };
}

/** A service that issues tokens, behind a proxy that counts and may be down. */
export interface Issuer extends Awaited<ReturnType<typeof issuerOf>> {
  service: Service;
  /** Its name, and where it is reached. */
  url: string;
  /** The paths that were asked for, since somebody has emptied it. */
  asked: string[];
  /** Whether it is out of reach. */
  down: boolean;
  /** Whether it takes questions and answers none. */
  hanging: boolean;
  close: () => Promise<unknown>;
}

export async function startIssuer(): Promise<Issuer> {
  const front = createServer();
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const auth = { issuer: url, audience: API, limitIp: false, limitClient: false } as const;
  const service = await startService({ auth });
  const close = async () => {
    front.closeAllConnections();
    front.close();
    await service.close();
  };
  const asks = await issuerOf(service.app, service.url, url, API);
  const issuer = { ...asks, service, url, asked: [] as string[], down: false, hanging: false, close };
  forward(front, service.url, issuer);
  return issuer;
}

function forward(front: Server, to: string, issuer: Pick<Issuer, 'asked' | 'down' | 'hanging'>): void {
  front.on('request', (incoming, outgoing) => {
    if (issuer.down) return incoming.socket.destroy();
    if (issuer.hanging) return;
    issuer.asked.push(incoming.url!);
    const { authorization = '', 'content-type': type = '' } = incoming.headers;
    void (async () => {
      const body = Buffer.concat(await incoming.toArray());
      const isPost = incoming.method === 'POST';
      const headers = { authorization, ...(isPost ? { 'content-type': type } : {}) };
      const answer = await fetch(to + incoming.url!, { method: incoming.method, headers, ...(isPost ? { body } : {}) });
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    })();
  });
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
