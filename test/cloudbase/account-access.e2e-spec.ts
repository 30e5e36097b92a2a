import request, { type Response } from 'supertest';
import { DataSource } from 'typeorm';
import { authEntities, authMigrations } from '../../src/wings.js';
import { AuthorizationCodeService } from '../../src/core/codes/authorization-code.service.js';
import { DeviceAuthorizationService } from '../../src/core/devices/device-authorization.service.js';
import { UserService } from '../../src/core/users/user.service.js';
import { missing, type Tokens } from '../fixtures.js';
import { expectError, type Service, startService } from '../service.js';
import { CALLBACK, CHALLENGE, VERIFIER } from '../visitor.js';
import { openMailbox } from './mailbox.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './sdk.js';

const NO_ACCOUNT = { error: 'permission_denied', reason: 'ACCOUNT_ACCESS_MISSING' } as const;
const EMAIL = 'ada@example.com';

/** Everything that acts on the account of the user who is signed in. */
const ACCOUNT_ROUTES = [
  ['delete', '/user/revoke/all'],
  ['delete', '/user/authorized/devices/some-device'],
  ['post', '/user/device/authorize'],
  ['post', '/user/authorize'],
  ['post', '/user/sudo'],
  ['patch', '/user/password'],
  ['patch', '/user/profile'],
  ['patch', '/user/contact'],
  ['post', '/user/basic/edit'],
  ['post', '/verification'],
] as const;

describe('what a token may do with its user’s account', () => {
  let service: Service;
  let sub: string;
  let secret: string;

  const scopes = ['openid', 'profile', 'email', 'phone', 'orders'];
  const native = 'com.example.app:/callback';

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false, limitIp: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS, scopes });
    await service.client({ id: 'third', grant_types: FIRST_PARTY_GRANTS, scopes });
    await service.client({ id: 'ours', first_party: true, scopes, redirect_uris: [CALLBACK, native] });
    const own = { id: 'backend', public: false, first_party: true };
    secret = (await service.client(own)).client_secret!;
    await service.client({ id: 'nothing', grant_types: FIRST_PARTY_GRANTS, scopes, default_scope: [] });
    sub = await service.user('ada', 'correct horse', ['staff']);
    await service.app.get(UserService).setContact(sub, { channel: 'email', value: EMAIL });
    await service.app.get(UserService).setContact(sub, { channel: 'phone_number', value: '+86 13800000000' });
  });
  afterAll(() => service.close());

  const call = (method: 'get' | 'post' | 'patch' | 'delete', path: string, token: string, body?: object) =>
    request(service.url)[method](`/auth/v1${path}`).set('Authorization', `Bearer ${token}`).send(body);
  const claimsOf = ({ access_token }: Tokens) =>
    JSON.parse(Buffer.from(access_token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
  const bodyOf = async (answer: Promise<Response>): Promise<Tokens> => {
    const response = await answer;
    expect(response.status).toBe(200);
    return response.body as Tokens;
  };
  const signIn = (more: object = {}) =>
    bodyOf(
      service.token({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse', ...more }),
    );
  const refresh = ({ refresh_token }: Tokens, more: object = {}) =>
    bodyOf(service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token, ...more }));
  const byCode = async (clientId: string, { scope, redirectUri = CALLBACK, ...more }: Record<string, string> = {}) => {
    const request = { clientId, sub, redirectUri, scope, codeChallenge: CHALLENGE };
    const code = await service.app.get(AuthorizationCodeService).issue(request);
    const grant = { client_id: clientId, grant_type: 'authorization_code', code, redirect_uri: redirectUri };
    return bodyOf(service.token({ ...grant, code_verifier: VERIFIER, ...more }));
  };
  const byDevice = async (client_id: string, more: object = {}) => {
    const started = request(service.url)
      .post('/auth/v1/device/code')
      .send({ client_id, ...more });
    const { device_code, user_code } = (await started).body as Record<'device_code' | 'user_code', string>;
    await service.app.get(DeviceAuthorizationService).approve(user_code, sub);
    return bodyOf(service.token({ client_id, grant_type: 'device_code', device_code, ...more }));
  };
  const reachesAccount = async ({ access_token }: Tokens) =>
    (await call('patch', '/user/profile', access_token, { name: 'Ada' })).status === 200;

  describe('of a client that asks for consent is nothing, whatever grants the client has (RFC 9700 §2.3)', () => {
    it.each(ACCOUNT_ROUTES)('%s %s', async (method, path) => {
      const code = await byCode('third');
      const everyWay = [code, await byDevice('third'), await refresh(code, { client_id: 'third' })];
      everyWay.push(await byCode('third', { scope: scopes.join(' ') }));
      for (const { access_token } of everyWay) {
        expectError(await call(method, path, access_token, { email: 'eve@example.com' }), NO_ACCOUNT);
      }
      expect(await service.app.get(UserService).load('ada')).toMatchObject({ login_email: EMAIL });
    });
  });

  it('is everything where the user proved who they are to this very client', async () => {
    const tokens = await signIn();
    expect(claimsOf(tokens)).toMatchObject({ account: true });
    expect([await reachesAccount(tokens), await reachesAccount(await refresh(tokens))]).toEqual([true, true]);
    expect(await reachesAccount(await signIn({ client_id: 'third' }))).toBe(true);
  });

  it('is everything by a code where the client is the operator’s own and nobody can pass for it (RFC 8252 §8.6)', async () => {
    const client_secret = secret;
    const own = [await byCode('ours'), await byCode('backend', { client_secret })];
    own.push(await byDevice('backend', { client_secret }));
    const others = [await byCode('ours', { redirectUri: native }), await byDevice('ours')];
    expect(await Promise.all(own.map(reachesAccount))).toEqual([true, true, true]);
    expect(await Promise.all(others.map(reachesAccount))).toEqual([false, false]);
  });

  describe('is nothing where the sign-in asked for less than the client’s default scope', () => {
    it.each([
      ['at a sign-in', () => signIn({ scope: 'orders' })],
      ['at a sign-in, by a part of the default', () => signIn({ scope: 'openid' })],
      ['at a sign-in, where the default is nothing', () => signIn({ client_id: 'nothing', scope: 'orders' })],
      ['at a refresh', async () => refresh(await signIn(), { scope: 'profile' })],
      ['in a code of the operator’s own client', () => byCode('ours', { scope: 'orders' })],
    ])('%s', async (_, tokens) => {
      const got = await tokens();
      expect(claimsOf(got)).not.toHaveProperty('account');
      for (const [method, path] of ACCOUNT_ROUTES) {
        expectError(await call(method, path, got.access_token, { email: 'eve@example.com' }), NO_ACCOUNT);
      }
    });

    it('and comes back with the next refresh that does not, but for a session that was opened so', async () => {
      const whole = await signIn();
      const narrow = await refresh(whole, { scope: 'openid' });
      expect(await reachesAccount(await refresh(narrow))).toBe(true);
      const opened = await signIn({ scope: 'orders' });
      const again = await refresh(opened);
      expect(await reachesAccount(again)).toBe(false);
      expect(await reachesAccount(await refresh(again, { scope: 'orders' }))).toBe(false);
    });

    it('and not where it asked for as much and more', async () => {
      const more = await signIn({ scope: 'orders profile openid' });
      expect(await reachesAccount(more)).toBe(true);
      expect(await reachesAccount(await refresh(more, { scope: 'openid profile orders' }))).toBe(true);
    });
  });

  describe('GET /user/me tells a session that was consented to what userinfo does (OpenID Connect Core §5.4)', () => {
    const PROFILE = { preferred_username: 'ada', username: 'ada', name: 'Ada' };
    const EMAILS = { email: EMAIL, email_verified: true };
    const PHONES = { phone_number: '+86 13800000000', phone_number_verified: true };

    it.each([
      ['orders', {}],
      ['openid', {}],
      ['openid profile', PROFILE],
      ['email orders', EMAILS],
      ['openid phone', PHONES],
      ['openid profile email phone', { ...PROFILE, ...EMAILS, ...PHONES }],
    ])('%s', async (scope, claims) => {
      await reachesAccount(await signIn()); // gives her a name
      for (const { access_token } of [await byCode('third', { scope }), await byDevice('third', { scope })]) {
        expect((await call('get', '/user/me', access_token)).body).toEqual({ sub, user_id: sub, ...claims });
      }
    });

    it('and the same to who asked for less at the user’s own client', async () => {
      const { access_token } = await signIn({ scope: 'orders' });
      expect((await call('get', '/user/me', access_token)).body).toEqual({ sub, user_id: sub });
    });

    it('and everything to the user’s own sessions', async () => {
      const { body } = await call('get', '/user/me', (await signIn()).access_token);
      expect(body).toMatchObject({ username: 'ada', groups: [{ id: 'staff' }], has_password: true, ...EMAILS });
    });
  });

  it('sessions of before the upgrade have no right to it, but for anonymous users’; and the way back is there', async () => {
    const database = new DataSource({
      type: 'sqlite',
      database: ':memory:',
      entities: authEntities,
      migrations: authMigrations,
    });
    await database.initialize();
    await database.runMigrations();
    const last = authMigrations.map(({ name }) => name).sort((a, b) => Number(a.slice(-13)) - Number(b.slice(-13)));
    const back = last.length - last.indexOf('AddAccountAccess1764000001000');
    const migrated = () => database.query('SELECT sub, account_access FROM auth_session ORDER BY sub');
    const users = ['anonymous', 'another'].map((id) => `('${id}', '${id}', '[]', 'one device', 0, 0)`).join();
    await database.query(
      `INSERT INTO auth_user (id, username, groups, anonymous_device, created_at, updated_at) VALUES ${users}`,
    );
    for (const id of ['ada', 'anonymous']) {
      await database.query(
        `INSERT INTO auth_session (id, sub, client_id, scope, authenticated_at, created_at, expires_at)
         VALUES ('${id}', '${id}', 'app', 'a', 0, 0, 0)`,
      );
    }
    for (let i = 0; i < back; i++) await database.undoLastMigration();
    await database.runMigrations();
    expect(await migrated()).toEqual([
      { sub: 'ada', account_access: 0 },
      { sub: 'anonymous', account_access: 1 },
    ]);
    await database.destroy();
  });
});

describe('a change of what a user signs in by', () => {
  let service: Service;
  let token: string;
  let username: string;
  let n = 0;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false, limitIp: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
  });
  afterAll(() => service.close());
  beforeEach(async () => {
    username = `user-${++n}`;
    await service.user(username, 'correct horse');
    token = await signIn();
  });

  const call = (method: 'post' | 'patch', path: string, body: object) =>
    request(service.url)[method](`/auth/v1${path}`).set('Authorization', `Bearer ${token}`).send(body);
  const signIn = async () => {
    const sent = request(service.url).post('/auth/v1/signin?client_id=app');
    return (await sent.send({ username, password: 'correct horse' })).body.access_token as string;
  };
  /** What updateUser() of the SDK does before it sends the bare address. */
  const verified = async (email: string) => {
    const { verification_id } = (await call('post', '/verification', { email })).body;
    const verification_code = codesSentTo(service, email).at(-1)!;
    const sent = request(service.url).post('/auth/v1/verification/verify?client_id=app');
    await sent.send({ verification_id, verification_code }).expect(200);
    return { email };
  };

  describe.each([
    ['the contact', 'post', '/user/basic/edit', () => verified(`${username}@example.com`)],
    ['the username', 'post', '/user/basic/edit', async () => ({ username: `other-${n}` })],
    ['the username in the profile', 'patch', '/user/profile', async () => ({ username: `other-${n}` })],
  ] as const)('%s', (_, method, path, change) => {
    const make = async (proof: object = {}) => call(method, path, { ...(await change()), ...proof });

    it('is open to who has just signed in', async () => {
      service.clock.advance(599);
      expect((await make()).status).toBe(200);
    });

    it('ten minutes later wants a proof: a token alone is not the account', async () => {
      service.clock.advance(600);
      const body = await change();
      expectError(await call(method, path, body), missing('sudo_token'));
      expectError(await call(method, path, { ...body, sudo_token: 'x' }), {
        error: 'invalid_verification_code',
        reason: 'SUDO_TOKEN_INVALID',
      });
      await call('post', '/user/sudo', { password: 'wrong' });
      expectError(await call(method, path, body), missing('sudo_token'));
    });

    it('takes a sudo token', async () => {
      service.clock.advance(6000);
      const { sudo_token } = (await call('post', '/user/sudo', { password: 'correct horse' })).body;
      expect((await make({ sudo_token })).status).toBe(200);
    });

    it('is open to who has just got a sudo token, for the SDK’s updateUser() sends none along', async () => {
      service.clock.advance(6000);
      await call('post', '/user/sudo', { password: 'correct horse' });
      expect((await make()).status).toBe(200);
    });

    it('is not open to another session of the same user that has proven nothing', async () => {
      service.clock.advance(6000);
      const mine = token;
      token = await signIn();
      await call('post', '/user/sudo', { password: 'correct horse' });
      token = mine;
      expectError(await make(), missing('sudo_token'));
    });
  });

  it('POST /user/basic/edit takes the password in its stead', async () => {
    service.clock.advance(6000);
    const change = await verified(`${username}@example.com`);
    expectError(await call('post', '/user/basic/edit', { ...change, password: 'wrong' }), {
      error: 'invalid_username_or_password',
      reason: 'WRONG_USERNAME_OR_PASSWORD',
    });
    const both = { ...change, password: 'correct horse', new_password: 'battery staple' };
    expect((await call('post', '/user/basic/edit', both)).body).toEqual({});
  });

  it('the rest of the profile wants no proof', async () => {
    service.clock.advance(6000);
    expect((await call('post', '/user/basic/edit', { nickname: 'Ada' })).body).toEqual({});
    expect((await call('patch', '/user/profile', { name: 'Ada' })).status).toBe(200);
  });

  it('is told to every address and number that the account had, whichever way it was made', async () => {
    const told = () =>
      service.log.filter(({ msg }) => msg === 'contact changed').map(({ to, changed }) => [to, changed]);
    await call('post', '/user/basic/edit', await verified('first@example.com'));
    expect(told()).toEqual([]);
    const { verification_id } = (await call('post', '/verification', { phone_number: '13900000000' })).body;
    const verification_code = codesSentTo(service, '+86 13900000000').at(-1)!;
    const verify = request(service.url).post('/auth/v1/verification/verify?client_id=app');
    const { verification_token } = (await verify.send({ verification_id, verification_code })).body;
    const { sudo_token } = (await call('post', '/user/sudo', { password: 'correct horse' })).body;
    const contact = { phone_number: '13900000000', sudo_token, verification_token };
    expect((await call('patch', '/user/contact', contact)).status).toBe(200);
    expect(told()).toEqual([['first@example.com', 'phone_number']]);
    await call('post', '/user/basic/edit', await verified('second@example.com'));
    expect(told().slice(1)).toEqual([
      ['first@example.com', 'email'],
      ['+86 13900000000', 'email'],
    ]);
    expect(service.log).toContainEqual(expect.objectContaining({ event: 'contact_changed' }));
  });
});

describe('the notice of a changed contact', () => {
  it('is a mail in the user’s language, else in the caller’s, and does not name the new address', async () => {
    const mailbox = await openMailbox();
    const { mails } = mailbox;
    const service = await startService({ auth: { smtpUrl: mailbox.url, limitIp: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    const { VerificationService } = await import('../../src/cloudbase/verification/verification.service.js');
    jest.spyOn(service.app.get(VerificationService), 'consume').mockResolvedValue(true);
    for (const [name, locale] of [
      ['ada', undefined],
      ['wei', 'zh-CN'],
    ] as const) {
      const sub = await service.user(name, 'correct horse');
      await service.app.get(UserService).setContact(sub, { channel: 'email', value: `${name}@old.example` });
      await service.app.get(UserService).edit(sub, { locale });
      const signIn = request(service.url).post('/auth/v1/signin?client_id=app');
      const { access_token } = (await signIn.send({ username: name, password: 'correct horse' })).body;
      const edit = request(service.url).post('/auth/v1/user/basic/edit').set('Authorization', `Bearer ${access_token}`);
      expect((await edit.send({ email: `${name}@new.example` })).body).toEqual({});
    }
    await service.close(); // waits for what is under way
    mailbox.close();
    const english = mails.find((mail) => mail.includes('To: ada@old.example'))!;
    expect(english).toMatch(/^Subject: The e-mail address of your account was changed\r$/m);
    expect(mails.find((mail) => mail.includes('To: wei@old.example'))).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(mails.join()).not.toContain('new.example');
  });
});
