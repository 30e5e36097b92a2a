import request from 'supertest';
import { AuthError, ClientService, SessionService, UserService } from '../src/index.js';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { numbers } from './databases.js';
import { redeem, signIn } from './fixtures.js';
import { ALL_GRANTS, expectError, type Service } from './service.js';
import { answerOf, CALLBACK, REQUEST, titleOf, type Visitor } from './visitor.js';
import { asAda, browserOfAda, deviceCodes, EMAIL, runCommand, startBeside, startWithAda, WAYS_IN } from './ways-in.js';

const NOTHING = {
  browsers: 0,
  codes: 0,
  consents: 0,
  devices: 0,
  'pushed requests': 0,
  sessions: 0,
  verifications: 0,
};
const SECRET = /^[\w-]{43}$/;
const GONE = { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' } as const;
const ENDED = { error: 'invalid_grant', reason: 'CLIENT_CHANGED' } as const;
const EXPIRED = { error: 'invalid_grant', reason: 'REFRESH_TOKEN_EXPIRED' } as const;

let service: Service;
let sub: string;
let clients: ClientService;
let users: UserService;

beforeEach(async () => {
  ({ service, sub } = await startWithAda());
  clients = service.app.get(ClientService);
  users = service.app.get(UserService);
});
afterEach(() => service.close());

const refused = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AuthError);
  const { code, reason, fields } = error as AuthError;
  return fields ? { code, reason, fields } : { code, reason };
};
const about = (field: string, description: string) => ({
  code: 'invalid_argument',
  reason: 'PARAMETER_INVALID',
  fields: [{ field, description }],
});
const NO_CLIENT = { code: 'not_found', reason: 'CLIENT_UNKNOWN' };
const NO_USER = { code: 'not_found', reason: 'USER_UNKNOWN' };

const refresh = (at: Service, tokens: { refresh_token: string }, more: object = {}) =>
  at.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token: tokens.refresh_token, ...more });
const aliveAt = async (access_token: string, at = service) =>
  (await request(at.url).get('/auth/v1/user/me').set('Authorization', `Bearer ${access_token}`)).status === 200;
const count = async (table: string, where = '1 = 1') =>
  (await service.sql<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]!.n;

/** A foreign application that Ada has agreed to in her browser; the code that it got. */
async function consentedCode(visitor: Visitor, client_id: string): Promise<string> {
  const page = await visitor.authorize({ client_id });
  expect(titleOf(page)).toBe('Allow access?');
  const { code } = answerOf(await visitor.submit(page, { decision: 'allow' }));
  return code!;
}

describe('ClientService.delete()', () => {
  it('ends all that the client has, says how much, and leaves alone what is of others', async () => {
    const { client_secret } = await service.client({ id: 'server', public: false, grant_types: ALL_GRANTS });
    const auth = { client_id: 'server', client_secret };
    await service.token({ ...auth, grant_type: 'password', username: 'ada', password: 'correct horse' });
    const visitor = await browserOfAda(service);
    await consentedCode(visitor, 'server');
    await request(service.url).post('/oauth2/device_authorization').type('form').send(auth);
    await request(service.url)
      .post('/oauth2/par')
      .type('form')
      .send({ ...REQUEST, ...auth });
    const others = await signIn(service);

    expect(await clients.delete('server')).toEqual({
      ...NOTHING,
      codes: 1,
      consents: 1,
      devices: 1,
      'pushed requests': 1,
      secrets: 1,
      sessions: 1,
    });

    expectError(await service.token({ ...auth, grant_type: 'client_credentials' }), GONE);
    expect(await clients.load('server')).toBeUndefined();
    for (const table of ['session', 'authorization_code', 'device_authorization', 'consent', 'client_secret']) {
      expect([table, await count(`auth_${table}`, "client_id = 'server'")]).toEqual([table, 0]);
    }
    expect((await refresh(service, others)).status).toBe(200);
    expect(titleOf(await visitor.authorize())).not.toBe('Sign in');
  });

  it('counts at once on every node, though that has just had the client in hand', async () => {
    const other = await startBeside(service);
    const tokens = await signIn(other);
    expect(await aliveAt(tokens.access_token, other)).toBe(true);
    const code = await WAYS_IN['an authorization code from the pages']!(other);
    await clients.delete('app');
    expectError(await refresh(other, tokens), EXPIRED);
    expect(await aliveAt(tokens.access_token, other)).toBe(false);
    expect((await code()).status).toBe(400);
    const late = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    expectError(await other.token(late), { error: 'invalid_client', reason: 'CLIENT_DISABLED' });
    expect(await count('auth_session', 'revoked_at IS NULL')).toBe(0);
  });

  it('frees the id, and nothing of the former client works for who gets it', async () => {
    const { client_secret } = await service.client({ id: 'server', public: false });
    const auth = { client_id: 'server', client_secret };
    const own = (await service.token({ ...auth, grant_type: 'client_credentials' })).body.access_token as string;
    const visitor = await browserOfAda(service);
    await consentedCode(visitor, 'server');
    await clients.delete('server');
    // as a rotation of the secret would that came at the same time
    await service.sql(
      "INSERT INTO auth_client_secret (id, client_id, hash, created_at) VALUES ('1', 'server', 'x', 1)",
    );
    service.clock.advance(60);

    const { secret } = await clients.create({ id: 'server', grant_types: ALL_GRANTS, redirect_uris: [CALLBACK] });
    expectError(await service.token({ ...auth, grant_type: 'client_credentials' }), {
      error: 'unauthorized_client',
      reason: 'CLIENT_SECRET_WRONG',
    });
    expect(await count('auth_client_secret', "client_id = 'server'")).toBe(1);
    const introspected = await request(service.url)
      .post('/oauth2/introspect')
      .auth('server', secret!)
      .type('form')
      .send({ token: own });
    expect(introspected.body).toEqual({ active: false });
    await clients.update('server', { scopes: ['openid', 'profile'] });
    expect(titleOf(await visitor.authorize({ client_id: 'server' }))).toBe('Allow access?');
  });

  it('may be cut off half-way: nobody gets in, and the next call does the rest', async () => {
    const tokens = await signIn(service);
    const sessions = service.app.get(SessionService);
    const removeAll = sessions.removeAll.bind(sessions);
    sessions.removeAll = () => Promise.reject(new Error('the database is away'));
    await expect(clients.delete('app')).rejects.toThrow('the database is away');
    expectError(await refresh(service, tokens), { error: 'invalid_client', reason: 'CLIENT_DISABLED' });
    sessions.removeAll = removeAll;
    expect(await clients.delete('app')).toEqual({ ...NOTHING, secrets: 0, sessions: 1 });
    expect(await refused(clients.delete('app'))).toEqual(NO_CLIENT);
  });

  it('removes many rows in small batches, between which others write', async () => {
    const living = service.clock.now() + 60_000;
    await service.sql(
      `INSERT INTO auth_session (id, sub, client_id, scope, authenticated_at, created_at, expires_at, revoked_at)
       ${numbers(900)} SELECT CONCAT('s', i), CONCAT('u', i), 'app', '', 1, 1, ${living}, CASE WHEN i < 300 THEN 1 END FROM n`,
    );
    await service.sql(
      `INSERT INTO auth_consent (sub, client_id, scope, given_at, used_at)
       ${numbers(450)} SELECT CONCAT('u', i), 'app', 'openid', 1, 1 FROM n`,
    );
    await service.client({ id: 'other' });
    await service.sql("UPDATE auth_consent SET client_id = 'other' WHERE sub IN ('u7', 'u449')");
    expect(await clients.delete('app')).toEqual({ ...NOTHING, consents: 448, secrets: 0, sessions: 600 });
    expect(await count('auth_consent')).toBe(2);
    expect(await count('auth_session')).toBe(0);
  });

  it('is a command, which says what ended', async () => {
    await signIn(service);
    await signIn(service);
    await service.client({ id: 'third' });
    await consentedCode(await browserOfAda(service), 'third');
    expect(await runCommand(service, 'clients', 'delete', 'third')).toEqual({
      text: 'client third deleted, ended: 1 code, 1 consent',
      json: { id: 'third', deleted: true, ended: { ...NOTHING, codes: 1, consents: 1, secrets: 0 } },
    });
    expect((await runCommand(service, 'clients', 'delete', 'app')).text).toBe(
      'client app deleted, ended: 1 code, 2 sessions',
    );
    await expect(runCommand(service, 'clients', 'delete', 'app')).rejects.toThrow('there is no client app');
  });
});

describe('ClientService.update()', () => {
  it('changes what is given and nothing else, and ends nothing where nothing is taken away', async () => {
    const tokens = await signIn(service);
    const before = (await clients.load('app'))!.client;
    const values = { name: 'The app', redirect_uris: [CALLBACK, 'https://b.example/'], access_token_ttl: 60 };
    const { client, ended, secret } = await clients.update('app', { ...values, refresh_token_ttl: undefined });
    expect({ client, ended, secret }).toEqual({ client: { ...before, ...values }, ended: NOTHING, secret: undefined });
    expect((await clients.load('app'))!.client).toEqual(client);
    expect((await refresh(service, tokens)).body).toMatchObject({ expires_in: 60 });
    expect((await clients.update('app', {})).ended).toEqual(NOTHING);
  });

  it('ends the sessions with a scope that is taken away, and no others', async () => {
    const [wide, narrow] = [
      await signIn(service, { scope: 'openid email' }),
      await signIn(service, { scope: 'openid' }),
    ];
    const other = await startBeside(service);
    const changed = await clients.update('app', { scopes: ['openid', 'profile'], default_scope: ['openid'] });
    expect(changed.ended).toEqual({ ...NOTHING, sessions: 1 });
    expectError(await refresh(other, wide), ENDED);
    expect(await aliveAt(wide.access_token, other)).toBe(false);
    expect((await refresh(other, narrow)).status).toBe(200);
  });

  it('leaves of the default scope what may still be asked for', async () => {
    const { client } = await clients.update('app', { scopes: ['profile'] });
    expect(client).toMatchObject({ scopes: ['profile'], default_scope: ['profile'] });
  });

  it('gives a lost scope neither for a code of before, nor by a node that knows the client as it was', async () => {
    const other = await startBeside(service);
    await signIn(other); // has the client in hand now
    const { code } = answerOf(await (await browserOfAda(service)).authorize());
    await clients.update('app', { scopes: ['openid', 'email'] });
    const ada = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    expectError(await other.token(ada), ENDED);
    expect((await other.token({ ...ada, scope: 'openid' })).status).toBe(200);
    expect((await redeem(service, code!)).body).toMatchObject({ scope: 'openid' });
    expect(await count('auth_session', "revoked_at IS NULL AND scope LIKE '%profile%'")).toBe(0);
  });

  it('may be cut off half-way: the next call ends what is left', async () => {
    const tokens = await signIn(service, { scope: 'openid email' });
    const sessions = service.app.get(SessionService);
    const endBeyond = sessions.endBeyond.bind(sessions);
    sessions.endBeyond = () => Promise.reject(new Error('the database is away'));
    await expect(clients.update('app', { scopes: ['openid'] })).rejects.toThrow('the database is away');
    sessions.endBeyond = endBeyond;
    expect((await clients.update('app', { scopes: ['openid'] })).ended).toEqual({ ...NOTHING, sessions: 1 });
    expectError(await refresh(service, tokens), ENDED);
  });

  it('ends the sessions with account access of a client that is not the own any more', async () => {
    const redeemAt = WAYS_IN['an authorization code from the pages']!;
    const opened = (await (await redeemAt(service))()).body as { refresh_token: string };
    const byScope = await signIn(service, { scope: 'openid' }); // which has none
    expect((await clients.update('app', { first_party: false })).ended).toEqual({ ...NOTHING, sessions: 1 });
    expectError(await refresh(service, opened), ENDED);
    expect((await refresh(service, byScope)).status).toBe(200);
  });

  it('makes a code worth nothing whose redirect_uri is taken away', async () => {
    const { code } = answerOf(await (await browserOfAda(service)).authorize());
    await clients.update('app', { redirect_uris: ['https://b.example/'] });
    expectError(await redeem(service, code!), { error: 'invalid_grant', reason: 'REDIRECT_URI_MISMATCH' });
  });

  describe('to another way to authenticate', () => {
    const jwks_uri = 'https://app.example.com/jwks';
    const server = (secret?: string) =>
      service.token({ client_id: 'server', client_secret: secret, grant_type: 'client_credentials' });
    let secret: string;

    beforeEach(async () => {
      ({ client_secret: secret } = (await service.client({ id: 'server', public: false })) as {
        client_secret: string;
      });
    });

    it('by keys: its secrets are gone', async () => {
      const { client, ended } = await clients.update('server', { jwks_uri });
      expect(client).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri, public: false });
      expect(ended).toEqual({ ...NOTHING, secrets: 1 });
      expect(await clients.load('server')).toMatchObject({ secrets: [] });
      expect((await server(secret)).body.error).toBe('unauthorized_client');
    });

    it('by a secret again: it gets a new one, and the old one stays dead', async () => {
      await clients.update('server', { jwks_uri });
      const changed = await clients.update('server', { token_endpoint_auth_method: 'client_secret' });
      expect(changed.client).toMatchObject({ jwks: null, jwks_uri: null });
      expect(changed.secret).toMatch(SECRET);
      expect((await server(changed.secret)).status).toBe(200);
      expect((await server(secret)).body.error).toBe('unauthorized_client');
    });

    it('not at all: its sessions end, and a code without PKCE is worth nothing', async () => {
      const auth = { client_id: 'server', client_secret: secret };
      const opened = await service.token({
        ...auth,
        grant_type: 'password',
        username: 'ada',
        password: 'correct horse',
      });
      const codes = service.app.get(AuthorizationCodeService);
      const code = await codes.issue({ clientId: 'server', sub, redirectUri: CALLBACK });
      const grant_types = ['refresh_token', 'authorization_code'];
      const { client, ended } = await clients.update('server', { public: true, grant_types });
      expect(client).toMatchObject({ public: true, token_endpoint_auth_method: 'none' });
      expect(ended).toEqual({ ...NOTHING, secrets: 1, sessions: 1 });
      expectError(await refresh(service, opened.body, { client_id: 'server' }), ENDED);
      expectError(await redeem(service, code, { client_id: 'server', code_verifier: undefined }), {
        error: 'invalid_grant',
        reason: 'CODE_VERIFIER_MISMATCH',
      });
    });
  });

  it.each([
    ['redirect_uris', { redirect_uris: ['http://a.example/'] }, 'must be https, but for a loopback host'],
    ['default_scope', { default_scope: ['more'] }, 'must be part of scopes'],
    ['id', { id: 'other' }, 'cannot be changed'],
    ['created_at', { created_at: 0 }, 'cannot be changed'],
    ['disabled', { disabled: true }, 'cannot be changed'],
  ])('refuses a wrong %s and changes nothing', async (field, values, description) => {
    const before = await clients.load('app');
    expect(await refused(clients.update('app', { name: 'New', ...values }))).toEqual(about(field, description));
    expect(await clients.load('app')).toEqual(before);
  });

  it('and rotateSecret() know no client that there is not', async () => {
    expect(await refused(clients.update('nobody', { name: 'x' }))).toEqual(NO_CLIENT);
    expect(await refused(clients.rotateSecret('nobody', 0))).toEqual(NO_CLIENT);
    expect(await refused(clients.rotateSecret('app', 0))).toEqual(about('id', 'is of a client that has no secret'));
  });

  it('is a command, which says what ended', async () => {
    await signIn(service, { scope: 'openid email' });
    const words = [
      '--scopes',
      'openid profile',
      '--access-token-ttl',
      '60',
      '--no-first-party',
      '--post-logout-redirect-uri',
      '',
    ];
    const { text, json } = await runCommand(service, 'clients', 'update', 'app', ...words);
    expect(text).toBe('client app updated, ended: 1 session');
    expect(json).toEqual({
      ...(await clients.load('app'))!.client,
      scopes: ['openid', 'profile'],
      access_token_ttl: 60,
      first_party: false,
      ended: { ...NOTHING, sessions: 1 },
    });
    expect((await runCommand(service, 'clients', 'update', 'app', '--access-token-ttl', 'default')).json).toMatchObject(
      {
        access_token_ttl: null,
      },
    );
    const secret = await runCommand(service, 'clients', 'update', 'app', '--no-public', '--grants', 'device_code');
    expect(secret.text).toMatch(/^client app updated, nothing ended\nclient_secret: [\w-]{43}$/);
    expect(secret.json).toMatchObject({ public: false, grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] });
    await expect(runCommand(service, 'clients', 'update', 'app', '--grants', 'implicit')).rejects.toThrow(
      'there is no grant type implicit',
    );
  });
});

describe('UserService.delete()', () => {
  it('ends all that the user has, says how much, and leaves alone what is of others', async () => {
    const bob = await service.user('bob', 'correct horse');
    const bobs = await signIn(service, { username: 'bob' });
    const tokens = await signIn(service);
    await service.client({ id: 'third' });
    const visitor = await browserOfAda(service);
    await consentedCode(visitor, 'third');
    const { user_code } = await deviceCodes(service);
    await asAda(service, tokens.access_token)('post', '/user/device/authorize', { user_code });

    const ended = await users.delete(sub);
    expect(ended).toEqual({ ...NOTHING, browsers: 1, codes: 2, consents: 1, devices: 1, sessions: 1 });

    expectError(await refresh(service, tokens), EXPIRED);
    expect(await aliveAt(tokens.access_token)).toBe(false);
    expect(titleOf(await visitor.authorize())).toBe('Sign in');
    for (const table of ['session', 'authorization_code', 'device_authorization', 'consent', 'browser_session']) {
      expect([table, await count(`auth_${table}`, `sub = '${sub}'`)]).toEqual([table, 0]);
    }
    expect((await users.list()).map(({ id }) => id)).toEqual([bob]);
    expect((await refresh(service, bobs)).status).toBe(200);
    expect(await refused(users.delete(sub))).toEqual(NO_USER);
  });

  it('counts at once on every node, and for a sign-in that is under way', async () => {
    const other = await startBeside(service);
    const tokens = await signIn(other);
    expect(await aliveAt(tokens.access_token, other)).toBe(true);
    const ways = await Promise.all(Object.values(WAYS_IN).map((prove) => prove(other)));
    await users.delete(sub);
    for (const redeemLate of ways) expect((await redeemLate()).status).toBe(400);
    expect(await aliveAt(tokens.access_token, other)).toBe(false);
    expect(await count('auth_session', 'revoked_at IS NULL')).toBe(0);
  });

  it('may be cut off half-way: nobody gets in, and the next call does the rest', async () => {
    await signIn(service);
    const sessions = service.app.get(SessionService);
    const removeAll = sessions.removeAll.bind(sessions);
    sessions.removeAll = () => Promise.reject(new Error('the database is away'));
    await expect(users.delete(sub)).rejects.toThrow('the database is away');
    const again = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    expectError(await service.token(again), { error: 'permission_denied', reason: 'USER_DISABLED' });
    sessions.removeAll = removeAll;
    expect(await runCommand(service, 'users', 'delete', 'ADA')).toEqual({
      text: 'user ADA deleted, ended: 1 session',
      json: { sub, deleted: true, ended: { ...NOTHING, sessions: 1 } },
    });
    await expect(runCommand(service, 'users', 'delete', 'ada')).rejects.toThrow('there is no user ada');
  });

  it('frees the name, under which another one begins anew', async () => {
    await users.delete(sub);
    const next = await service.user('ada', 'battery staple');
    expect(next).not.toBe(sub);
    expect(await signIn(service, { password: 'battery staple' })).toMatchObject({ sub: next });
  });
});

describe('UserService.update()', () => {
  const userinfo = async () => {
    service.clock.advance(3); // users may be remembered for two seconds
    const { access_token } = await signIn(service, { scope: 'openid email profile' });
    return (await request(service.url).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`)).body;
  };

  it('changes groups, which the next refresh tells; nothing ends', async () => {
    const tokens = await signIn(service);
    const row = await users.update(sub, { groups: ['staff', 'admins'] });
    expect(row).toMatchObject({ id: sub, username: 'ada', groups: ['staff', 'admins'] });
    service.clock.advance(3);
    expect((await refresh(service, tokens)).body).toMatchObject({ groups: ['staff', 'admins'] });
  });

  it('changes an address, which is not verified unless that is said, and takes it away', async () => {
    expect(await userinfo()).toMatchObject({ email: EMAIL, email_verified: true });
    await users.update(sub, { email: EMAIL.toUpperCase() }); // the one that was
    expect(await userinfo()).toMatchObject({ email: EMAIL, email_verified: true });
    await users.update(sub, { email: 'Ada@New.example' });
    expect(await userinfo()).toMatchObject({ email: 'Ada@New.example', email_verified: false });
    await users.update(sub, { emailVerified: true });
    expect(await userinfo()).toMatchObject({ email: 'ada@new.example', email_verified: true });
    expect(await signIn(service, { username: 'ada@new.example' })).toMatchObject({ sub });
    await users.update(sub, { emailVerified: false });
    expect(await userinfo()).toMatchObject({ email_verified: false });
    await users.update(sub, { email: null });
    expect(await userinfo()).not.toHaveProperty('email');
  });

  it('says which value is wrong, and which belongs to somebody else', async () => {
    const bob = await service.user('bob', 'correct horse');
    expect(await refused(users.update(bob, { email: EMAIL, emailVerified: true }))).toEqual({
      code: 'already_exists',
      reason: 'CONTACT_TAKEN',
    });
    const taken = { code: 'username_already_exists', reason: 'USERNAME_TAKEN' };
    expect(await refused(users.update(bob, { username: 'Ada' }))).toEqual(taken);
    expect(await refused(users.create({ username: 'ADA', password: 'correct horse' }))).toEqual(taken);
    const name = 'is empty, too long or has control characters';
    expect(await refused(users.update(bob, { username: ' ' }))).toEqual(about('username', name));
    expect(await refused(users.create({ username: '', password: 'x' }))).toEqual(about('username', name));
    expect(await refused(users.create({ username: 'eve', password: '' }))).toEqual(about('password', 'is empty'));
    expect(await refused(users.update(bob, { email: 'nowhere' }))).toEqual(about('email', 'must be an e-mail address'));
    expect(await refused(users.update(bob, { emailVerified: true }))).toMatchObject({ reason: 'PARAMETER_MISSING' });
    expect(await refused(users.update(bob, { groups: [''] }))).toMatchObject({ fields: [{ field: 'groups' }] });
    expect(await refused(users.update(bob, { name: 'a\nb' }))).toMatchObject({ fields: [{ field: 'name' }] });
    expect(await refused(users.update('nobody', {}))).toEqual(NO_USER);
    expect(await refused(users.setDisabled('nobody', true))).toEqual(NO_USER);
    expect(await refused(users.setPending('nobody', true))).toEqual(NO_USER);
    expect(await refused(users.setPassword('nobody', 'correct horse'))).toEqual(NO_USER);
  });

  it('is a command', async () => {
    const changes = ['--groups', 'staff,admins', '--email', 'a@b.example', '--email-verified', '--name', ''];
    expect(await runCommand(service, 'users', 'update', 'ada', ...changes)).toEqual({
      text: 'user ada updated',
      json: {
        sub,
        username: 'ada',
        email: 'a@b.example',
        email_verified: true,
        name: null,
        groups: ['staff', 'admins'],
        disabled: false,
        created_at: expect.any(Number),
      },
    });
    const { json } = await runCommand(service, 'users', 'update', 'ada', '--no-email-verified', '--groups', '');
    expect(json).toMatchObject({ email: 'a@b.example', email_verified: false, groups: [] });
    expect((await runCommand(service, 'users', 'update', 'ada', '--username', 'Countess')).text).toBe(
      'user countess updated',
    );
  });
});
