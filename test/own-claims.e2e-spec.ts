import { Injectable, Scope } from '@nestjs/common';
import { decodeJwt } from 'jose';
import request from 'supertest';
import {
  AccessTokenService,
  type ClaimsContext,
  ClientService,
  IntrospectionService,
  OwnClaims,
  type User,
  Users,
  UserService,
} from '../src/index.js';
import { type Host, startHost } from './host.js';
import { expectError } from './service.js';

const asked: ClaimsContext[] = [];
let values: Record<string, unknown> | Error;

@Injectable()
class TenantClaims extends OwnClaims {
  override readonly claims = {
    tenant: { in: ['access_token' as const, 'id_token' as const] },
    'https://example.com/plan': { in: ['id_token' as const, 'userinfo' as const], scope: 'plan' },
    roles: { in: ['access_token' as const], scope: 'roles' },
  };

  constructor(private readonly users: UserService) {
    super();
  }

  override async valuesFor(context: ClaimsContext): Promise<Record<string, unknown>> {
    void this.users;
    asked.push(context);
    if (values instanceof Error) throw values;
    return values;
  }
}

describe("a host's own claims", () => {
  let host: Host;
  let sub: string;
  let secret: string;
  const token = (body: object) =>
    request(host.url)
      .post('/auth/v1/token')
      .send({ client_id: 'app', client_secret: secret, ...body });
  const signIn = async (scope: string) => {
    const { body } = await token({ grant_type: 'password', username: 'ada', password: 'correct horse', scope });
    return body as { access_token: string; id_token: string; refresh_token: string };
  };
  const userinfo = async (access_token: string) =>
    (await request(host.url).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`)).body as object;

  beforeAll(async () => {
    host = await startHost({}, { providers: [{ provide: OwnClaims, useClass: TenantClaims }] });
    const registered = await host.app.get(ClientService).create({
      id: 'app',
      grant_types: ['password', 'refresh_token', 'client_credentials'],
      scopes: ['openid', 'plan', 'roles'],
    });
    secret = registered.secret!;
    ({ id: sub } = await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' }));
  });
  afterAll(() => host.close());
  beforeEach(() => {
    asked.length = 0;
    values = { tenant: 't1', 'https://example.com/plan': 'gold', roles: ['a', 'b'], undeclared: 1, sub: 'mallory' };
  });

  it('stand where they are declared for those who were granted their scope, and nothing else does', async () => {
    const { access_token, id_token } = await signIn('openid plan roles');
    const at = host.clock.now() / 1000;
    expect(decodeJwt(access_token)).toEqual({
      ...{ iss: 'https://auth.example.com', aud: 'https://auth.example.com', sub, client_id: 'app', groups: [] },
      ...{ iat: at, auth_time: at, exp: at + 7200, jti: expect.any(String), sid: expect.any(String) },
      scope: 'openid plan roles',
      tenant: 't1',
      roles: ['a', 'b'],
    });
    expect(decodeJwt(id_token)).toEqual({
      ...{ iss: 'https://auth.example.com', aud: 'app', sub, iat: at, exp: at + 7200, auth_time: at },
      ...{ at_hash: expect.any(String), sid: expect.any(String) },
      tenant: 't1',
      'https://example.com/plan': 'gold',
    });
    expect(await userinfo(access_token)).toEqual({ sub, 'https://example.com/plan': 'gold' });

    const narrow = await signIn('openid');
    expect(decodeJwt(narrow.access_token)).not.toHaveProperty('roles');
    expect(decodeJwt(narrow.id_token)).toMatchObject({ tenant: 't1' });
    expect(decodeJwt(narrow.id_token)).not.toHaveProperty(['https://example.com/plan']);
    expect(await userinfo(narrow.access_token)).toEqual({ sub });
  });

  it('are asked for with the user, client, scope, session and the names that are told', async () => {
    const { access_token, refresh_token } = await signIn('openid plan');
    const session = { id: decodeJwt(access_token)['sid'], authenticatedAt: host.clock.now() };
    const context = {
      user: expect.objectContaining({ sub }),
      client: expect.objectContaining({ id: 'app' }),
      scope: ['openid', 'plan'],
      session,
    };
    await userinfo(access_token);
    await token({ grant_type: 'refresh_token', refresh_token });
    await token({ grant_type: 'client_credentials', scope: 'roles' });
    const both = ['tenant', 'https://example.com/plan'];
    expect(asked).toEqual([
      { ...context, names: both },
      { ...context, names: ['https://example.com/plan'] },
      { ...context, names: both },
      { client: context.client, scope: ['roles'], names: ['tenant', 'roles'] },
    ]);
    const own = await token({ grant_type: 'client_credentials', scope: 'roles' });
    expect(decodeJwt(own.body.access_token as string)).toMatchObject({ sub: 'app', tenant: 't1', roles: ['a', 'b'] });
  });

  it('reach who checks the token: the guard, and introspection', async () => {
    const { access_token } = await signIn('roles');
    expect(await host.app.get(AccessTokenService).verify(access_token)).toMatchObject({ roles: ['a', 'b'] });
    expect(await host.app.get(IntrospectionService).accessToken(access_token)).toMatchObject({
      active: true,
      tenant: 't1',
    });
  });

  it('are told of in the discovery document', async () => {
    const { body } = await request(host.url).get('/.well-known/openid-configuration');
    expect(body.claims_supported).toEqual(expect.arrayContaining(['tenant', 'https://example.com/plan', 'email']));
    expect(body.claims_supported).not.toContain('roles');
    expect(body.scopes_supported).toEqual(expect.arrayContaining(['plan', 'roles', 'profile']));
  });

  it.each<[string, () => Record<string, unknown> | Error]>([
    ['are too large for a token', () => ({ roles: 'x'.repeat(2100) })],
    ['cannot be told at the moment', () => new Error('the tenants are away')],
  ])('that %s refuse the request, and use no refresh token up', async (_, wrong) => {
    const { refresh_token } = await signIn('roles');
    values = wrong();
    const refresh = () => token({ grant_type: 'refresh_token', refresh_token });
    expectError(await refresh(), { error: 'internal', reason: 'INTERNAL' });
    host.clock.advance(60); // beyond every retry window
    expectError(await refresh(), { error: 'internal', reason: 'INTERNAL' });
    values = { roles: [] };
    expect((await refresh()).status).toBe(200);
  });

  it.each([
    ['sub', { sub: { in: ['id_token'] } }, 'the claim sub has a meaning already'],
    ['active', { active: { in: ['access_token'] } }, 'the claim active has a meaning already'],
    ['email', { email: { in: ['userinfo'] } }, 'the claim email has a meaning already'],
    ['nowhere', { tenant: { in: [] } }, 'the claim tenant stands nowhere'],
    ['scope', { tenant: { in: ['id_token'], scope: 'a b' } }, 'the claim tenant needs a scope word, not "a b"'],
  ])('that are wrong stop the start: %s', async (_, claims, problem) => {
    const own = Object.assign(new OwnClaims(), { claims });
    await expect(startHost({}, { providers: [{ provide: OwnClaims, useValue: own }] })).rejects.toThrow(
      `OwnClaims: ${problem}`,
    );
  });
});

it('request-scoped Users stop the start under their own name', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class RequestedAccounts extends Users {
    async verify(): Promise<User | undefined> {
      return undefined;
    }

    async find(): Promise<User | undefined> {
      return undefined;
    }
  }
  await expect(startHost({}, { providers: [{ provide: Users, useClass: RequestedAccounts }] })).rejects.toThrow(
    /^RequestedAccounts must not be request-scoped: the grant \w+ stands on it$/,
  );
});
