import { setTimeout as sleep } from 'node:timers/promises';
import { jwtVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import request from 'supertest';
import { SessionService } from '../../src/core/sessions/session.service.js';
import { UserService } from '../../src/core/users/user.service.js';
import { Users } from '../../src/core/users/users.js';
import { type Service, startService } from '../service.js';
import { codesSentTo, DeviceStorage, FIRST_PARTY_GRANTS, oauthApp, rejection } from './sdk.js';

describe('@cloudbase/oauth, unmodified', () => {
  let service: Service;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitAccount: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    // expires_in − 30 s is now: the SDK refreshes before every call
    await service.client({ id: 'short', grant_types: FIRST_PARTY_GRANTS, access_token_ttl: 30 });
    await service.client({ id: 'television', name: 'Television', grant_types: ['authorization_code', 'device_code'] });
    sub = await service.user('ada', 'correct horse', ['staff']);
  });
  afterAll(() => service.close());

  const signedIn = async (clientId = 'app', storage = new DeviceStorage()) => {
    const app = oauthApp(service, storage, clientId);
    await app.auth.signIn({ username: 'ada', password: 'correct horse' });
    if (clientId === 'short') await sleep(5); // expires_in − 30 s has passed now
    return app;
  };
  const sessionOf = async (accessToken: string) => {
    const jwks = createLocalJWKSet((await request(service.url).get('/auth/v1/certs')).body as JSONWebKeySet);
    const { payload } = await jwtVerify(accessToken, jwks, { currentDate: new Date(service.clock.now()) });
    return payload['sid'] as string;
  };
  const isAlive = async (accessToken: string) => service.app.get(SessionService).isAlive(await sessionOf(accessToken));

  describe('signIn()', () => {
    it('stores the session that it gets', async () => {
      const { auth, client, storage } = oauthApp(service);
      const credentials = await auth.signIn({ username: 'ada', password: 'correct horse' });
      expect(credentials).toMatchObject({ token_type: 'Bearer', expires_in: 7200, sub, scope: 'openid profile' });
      expect(storage.session()).toMatchObject({ access_token: credentials.access_token });
      expect(await client.getAccessToken()).toBe(credentials.access_token);
      expect(await auth.loginScope()).toBe('openid profile');
      expect(await auth.loginGroups()).toEqual(['staff']);
    });

    it.each([
      ['a wrong password', { username: 'ada', password: 'wrong' }],
      ['an unknown user', { username: 'nobody', password: 'wrong' }],
    ])('rejects %s in the same words, and stores nothing', async (_, wrong) => {
      const { auth, storage } = oauthApp(service);
      expect(await rejection(auth.signIn(wrong))).toMatchObject({
        error: 'invalid_username_or_password',
        error_code: 40020,
        error_description: 'The username or password is wrong.',
      });
      expect(storage.session()).toBeUndefined();
    });

    it('is told that the user is blocked', async () => {
      const id = await service.user('blocked', 'correct horse');
      await service.app.get(UserService).setDisabled(id, true);
      const { auth } = oauthApp(service);
      expect(await rejection(auth.signIn({ username: 'blocked', password: 'correct horse' }))).toMatchObject({
        error: 'user_blocked',
      });
    });

    it('is told that the user waits for approval', async () => {
      const id = await service.user('newcomer', 'correct horse');
      await service.app.get(UserService).setPending(id, true);
      const { auth } = oauthApp(service);
      expect(await rejection(auth.signIn({ username: 'newcomer', password: 'correct horse' }))).toMatchObject({
        error: 'user_pending',
      });
    });

    it('is told that the client is unknown', async () => {
      const { auth } = oauthApp(service, new DeviceStorage(), 'nobody');
      expect(await rejection(auth.signIn({ username: 'ada', password: 'correct horse' }))).toMatchObject({
        error: 'invalid_client',
      });
    });
  });

  describe('signInAnonymously()', () => {
    it('keeps the user of a device that holds their session', async () => {
      const storage = new DeviceStorage();
      const first = await oauthApp(service, storage, 'short').auth.signInAnonymously();
      expect(first.scope).toBe('anonymous');
      await sleep(5);
      const later = oauthApp(service, storage, 'short');
      expect(await later.auth.hasLoginState()).toBe(true);
      expect(await later.client.getCredentials()).toMatchObject({ sub: first.sub });
      const { access_token: anonymous_token } = (await later.client.getCredentials())!;
      const again = await later.auth.signInAnonymously({ anonymous_token } as object); // as it was sent in its options
      expect(again.sub).toBe(first.sub);
    });

    it('gives the device id alone to nobody: it is a header that every server sees, and no credential', async () => {
      const storage = new DeviceStorage([['device_id', 'one-device-for-five']]);
      const apps = Array.from({ length: 5 }, () => oauthApp(service, storage));
      const all = await Promise.all(apps.map(({ auth }) => auth.signInAnonymously()));
      expect(new Set(all.map(({ sub: one }) => one)).size).toBe(5);
    });

    it('may be refreshed, and stays anonymous', async () => {
      const { auth, client } = oauthApp(service, new DeviceStorage(), 'short');
      const first = await auth.signInAnonymously();
      await sleep(5);
      expect(await client.getCredentials()).toMatchObject({ scope: 'anonymous', sub: first.sub });
    });

    it('is told where the client may not', async () => {
      const { auth } = oauthApp(service, new DeviceStorage(), 'television');
      expect(await rejection(auth.signInAnonymously())).toMatchObject({ error: 'permission_denied' });
    });
  });

  describe('grantToken()', () => {
    it('is the token endpoint', async () => {
      const { auth } = oauthApp(service);
      const credentials = await auth.grantToken({ grant_type: 'password', username: 'ada', password: 'correct horse' });
      expect(credentials).toMatchObject({ token_type: 'Bearer', sub });
    });

    it('rejects with the word of the contract', async () => {
      const { auth } = oauthApp(service);
      expect(await rejection(auth.grantToken({ grant_type: 'refresh_token', refresh_token: 'm.no' }))).toMatchObject({
        error: 'invalid_grant',
      });
    });
  });

  describe('refreshing', () => {
    it('happens before a call with an expired token', async () => {
      const { client, storage } = await signedIn('short');
      const before = storage.session('short')!;
      await client.getAccessToken();
      expect(storage.session('short')!.refresh_token).not.toBe(before.refresh_token);
    });

    it('is shared by five parallel getAccessToken() calls on an expired session', async () => {
      const { client } = await signedIn('short');
      const tokens = await Promise.all(Array.from({ length: 5 }, () => client.getAccessToken()));
      expect(tokens).toHaveLength(5);
      expect(await isAlive(tokens[4]!)).toBe(true);
    });

    it('wipes the stored session once it has ended', async () => {
      const { auth, client, storage } = await signedIn('short');
      await service.app.get(SessionService).revokeAll({ sub, clientId: 'short' });
      expect(await rejection(client.getAccessToken())).toMatchObject({ error: 'unauthenticated' });
      expect(storage.session('short')).toBeUndefined();
      expect(await auth.hasLoginState()).toBe(false);
    });

    it('keeps the stored session when the service is away for a moment', async () => {
      const { client, storage } = await signedIn('short');
      const away = jest
        .spyOn(service.app.get(Users), 'find')
        .mockRejectedValueOnce(Object.assign(new Error('busy'), { code: 'SQLITE_BUSY' }));
      expect(await rejection(client.getAccessToken())).toMatchObject({ error: 'unavailable' });
      away.mockRestore();
      expect(storage.session('short')).toBeDefined();
      expect(await isAlive(await client.getAccessToken())).toBe(true);
    });
  });

  describe('getUserInfo()', () => {
    it('says who is signed in', async () => {
      const { auth } = await signedIn();
      expect(await auth.getUserInfo()).toEqual({
        sub,
        uid: sub, // the SDK's own
        user_id: sub,
        username: 'ada',
        status: 'ACTIVE',
        groups: [{ id: 'staff' }],
        meta: {},
        has_password: true,
        is_anonymous: false,
        created_at: '2030-01-01T00:00:00.000Z',
        updated_at: '2030-01-01T00:00:00.000Z',
      });
    });

    it('wipes the stored session when it has ended', async () => {
      const { auth, storage } = await signedIn();
      await service.app.get(SessionService).revokeAll({ sub, clientId: 'app' });
      expect(await rejection(auth.getUserInfo())).toMatchObject({ error: 'unauthenticated' });
      expect(storage.session()).toBeUndefined();
    });
  });

  describe.each([
    ['signOut()', undefined],
    ['signOut({})', {}],
  ])('%s', (_, parameters) => {
    it('ends the session and forgets it', async () => {
      const { auth, storage } = await signedIn();
      const { access_token } = storage.session()!;
      await auth.signOut(parameters);
      expect(storage.session()).toBeUndefined();
      expect(await isAlive(access_token)).toBe(false);
    });

    it('succeeds on a session that has been revoked', async () => {
      const { auth, storage } = await signedIn();
      await service.app.get(SessionService).revokeAll({ sub, clientId: 'app' });
      expect(await auth.signOut(parameters)).toEqual({});
      expect(storage.session()).toBeUndefined();
    });
  });

  it('signOut({}) forgets an expired session that has been revoked, too', async () => {
    const { auth, storage } = await signedIn('short');
    await service.app.get(SessionService).revokeAll({ sub, clientId: 'short' });
    jest.spyOn(console, 'log').mockImplementationOnce(() => undefined);
    expect(await auth.signOut({})).toEqual({});
    expect(storage.session('short')).toBeUndefined();
  });

  it('revokeAllDevices() ends the sessions everywhere', async () => {
    const [here, there] = [await signedIn(), await signedIn('short')];
    await here.auth.revokeAllDevices();
    for (const [{ storage }, client] of [[here, 'app'] as const, [there, 'short'] as const]) {
      expect(await isAlive(storage.session(client)!.access_token)).toBe(false);
    }
  });

  it('revokeDevice() ends the sessions of that device alone', async () => {
    const [here, there] = [await signedIn(), await signedIn()];
    const tokens = [here, there].map(({ storage }) => storage.session()!.access_token);
    await here.auth.revokeDevice({ device_id: there.storage.items.get('device_id')! });
    expect([await isAlive(tokens[0]!), await isAlive(tokens[1]!)]).toEqual([true, false]);
  });

  describe('deviceAuthorize() and authorizeDevice()', () => {
    const poll = (device_code: string) =>
      service.token({ client_id: 'television', grant_type: 'device_code', device_code });

    it('let a device in', async () => {
      const { auth } = await signedIn();
      const device = await auth.deviceAuthorize({ client_id: 'television', scope: 'openid' });
      expect(device).toMatchObject({
        user_code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/),
        expires_in: 600,
        interval: 3,
      });
      expect(await auth.authorizeDevice({ user_code: device.user_code! })).toEqual({});
      expect((await poll(device.device_code)).body).toMatchObject({ sub, scope: 'openid' });
    });

    it('reject a wrong user code', async () => {
      const { auth } = await signedIn();
      expect(await rejection(auth.authorizeDevice({ user_code: 'AAAA-AAAA' }))).toMatchObject({
        error: 'invalid_argument',
        details: expect.arrayContaining([
          expect.objectContaining({
            fieldViolations: [{ field: 'user_code', description: 'is wrong, answered or expired' }],
          }),
        ]),
      });
    });
  });

  describe('authorize()', () => {
    const asked = {
      response_type: 'code',
      client_id: 'television',
      redirect_uri: 'https://app.example.com/callback',
      state: 'xyz',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', // RFC 7636 appendix B
      code_challenge_method: 'S256',
    };

    it('gets a code, which the SDK takes for a failure as it takes every code', async () => {
      const { auth } = await signedIn();
      const { error: code } = await rejection(auth.authorize(asked));
      const { body } = await service.token({
        client_id: 'television',
        grant_type: 'authorization_code',
        code,
        redirect_uri: asked.redirect_uri,
        code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      });
      expect(body).toMatchObject({ sub, scope: 'openid' });
    });

    it.each([
      ['another redirect_uri', { redirect_uri: 'https://evil.example.com/' }, 'invalid_argument'],
      ['no code_challenge', { code_challenge: undefined }, 'invalid_argument'],
      ['a scope it may not have', { scope: 'admin' }, 'invalid_scope'],
      ['an unknown client', { client_id: 'nobody' }, 'invalid_client'],
      ['another response_type', { response_type: 'token' }, 'invalid_argument'],
    ])('rejects %s', async (_, wrong, error) => {
      const { auth } = await signedIn();
      expect(await rejection(auth.authorize({ ...asked, ...wrong }))).toMatchObject({ error });
    });

    it('rejects an anonymous user', async () => {
      const { auth } = oauthApp(service);
      await auth.signInAnonymously();
      expect(await rejection(auth.authorize(asked))).toMatchObject({ error: 'permission_denied' });
    });
  });

  describe('authorizeInfo()', () => {
    it.each(['signed in', 'signed out'])('says who asks for what, %s', async (state) => {
      const { auth } = state === 'signed in' ? await signedIn() : oauthApp(service);
      expect(await auth.authorizeInfo({ client_id: 'television', scope: 'openid email' })).toEqual({
        client: { id: 'television', name: 'Television' },
        scopes: [
          { id: 'openid', name: 'openid' },
          { id: 'email', name: 'email' },
        ],
      });
    });

    it('rejects an unknown client', async () => {
      const { auth } = await signedIn();
      expect(await rejection(auth.authorizeInfo({ client_id: 'nobody' }))).toMatchObject({ error: 'invalid_client' });
    });
  });

  describe('getVerification(), verify() and signUp()', () => {
    const proof = async (email: string) => {
      const app = oauthApp(service);
      const { verification_id } = await app.auth.getVerification({ email });
      const verification_code = codesSentTo(service, email).at(-1)!;
      const { verification_token } = await app.auth.verify({ verification_id: verification_id!, verification_code });
      return { ...app, verification_id, verification_code, verification_token: verification_token! };
    };

    it('make a user who signs in by e-mail address and password', async () => {
      const email = 'grace@example.com';
      const { auth, verification_token } = await proof(email);
      const made = await auth.signUp({ email, verification_token, password: 'correct horse', name: 'Grace' });
      expect(await auth.getUserInfo()).toMatchObject({ email, email_verified: true, name: 'Grace', sub: made.sub });
      const other = oauthApp(service);
      expect(await other.auth.signIn({ username: 'Grace@Example.com', password: 'correct horse' })).toMatchObject({
        sub: made.sub,
      });
    });

    it('make one by phone number, which the SDK writes as +86', async () => {
      const { auth } = oauthApp(service);
      const { verification_id } = await auth.getVerification({ phone_number: '13800000000' });
      const verification_code = codesSentTo(service, '+86 13800000000').at(-1)!;
      const { verification_token } = await auth.verify({ verification_id: verification_id!, verification_code });
      await auth.signUp({ phone_number: '+86 13800000000', verification_token: verification_token! });
      expect(await auth.getUserInfo()).toMatchObject({ phone_number: '+86 13800000000', has_password: false });
    });

    it('turn an anonymous user into a full one who keeps their sub', async () => {
      const email = 'was-anonymous@example.com';
      const app = oauthApp(service);
      const anonymous = await app.auth.signInAnonymously();
      const { verification_id } = await app.auth.getVerification({ email });
      const verification_code = codesSentTo(service, email).at(-1)!;
      const { verification_token } = await app.auth.verify({ verification_id: verification_id!, verification_code });
      const { access_token: anonymous_token } = app.storage.session()!;
      const full = await app.auth.signUp({ email, verification_token: verification_token!, anonymous_token });
      expect(full).toMatchObject({ sub: anonymous.sub, scope: 'openid profile' });
      expect(await isAlive(anonymous_token)).toBe(false);
      expect((await oauthApp(service, app.storage).auth.signInAnonymously()).sub).not.toBe(full.sub);
    });

    it('sign in whoever has an account already', async () => {
      const email = 'again@example.com';
      const first = await proof(email);
      const { sub: made } = await first.auth.signUp({ email, verification_token: first.verification_token });
      service.clock.advance(60);
      const { auth, verification_token } = await proof(email);
      expect(await auth.signUp({ email, verification_token })).toMatchObject({ sub: made });
      service.clock.advance(60);
      const third = await proof(email);
      const { verification_token: token } = third;
      expect(await third.auth.signIn({ username: email, verification_token: token })).toMatchObject({ sub: made });
    });

    it('reject a code that is wrong, and one that was used', async () => {
      const { auth, verification_id, verification_code } = await proof('used@example.com');
      const used = auth.verify({ verification_id: verification_id!, verification_code });
      expect(await rejection(used)).toMatchObject({ error: 'invalid_verification_code' });
      expect(await rejection(auth.verify({ verification_id: 'wrong', verification_code }))).toMatchObject({
        error: 'invalid_verification_code',
      });
    });

    it('reject a token that is for another address', async () => {
      const { auth, verification_token } = await proof('mine@example.com');
      expect(await rejection(auth.signUp({ email: 'yours@example.com', verification_token }))).toMatchObject({
        error: 'invalid_verification_code',
      });
    });

    it('are told to wait a minute', async () => {
      await proof('hasty@example.com');
      const again = oauthApp(service).auth.getVerification({ email: 'hasty@example.com' });
      expect(await rejection(again)).toMatchObject({ error: 'resource_exhausted' });
    });
  });

  describe('passwords and profile', () => {
    const newcomer = async () => {
      const username = `user-${++users}`;
      await service.user(username, 'correct horse');
      const app = oauthApp(service);
      await app.auth.signIn({ username, password: 'correct horse' });
      return { ...app, username };
    };
    let users = 0;
    const prove = async ({ auth }: { auth: ReturnType<typeof oauthApp>['auth'] }, email: string) => {
      const { verification_id } = await auth.getVerification({ email });
      const verification_code = codesSentTo(service, email).at(-1)!;
      return (await auth.verify({ verification_id: verification_id!, verification_code })).verification_token!;
    };
    const signsIn = (username: string, password: string) =>
      oauthApp(service)
        .auth.signIn({ username, password })
        .then(() => true)
        .catch(() => false);

    it('updatePasswordByOld() changes the password, keeps this session and ends the others', async () => {
      const here = await newcomer();
      const there = oauthApp(service);
      await there.auth.signIn({ username: here.username, password: 'correct horse' });
      await here.auth.updatePasswordByOld({ old_password: 'correct horse', new_password: 'battery staple' });
      expect(await here.auth.getUserInfo()).toMatchObject({ username: here.username });
      expect((await here.auth.refreshTokenForce({})).access_token).toBeDefined();
      expect(await rejection(there.auth.getUserInfo())).toMatchObject({ error: 'unauthenticated' });
      expect(await signsIn(here.username, 'correct horse')).toBe(false);
      expect(await signsIn(here.username, 'battery staple')).toBe(true);
    });

    it('updatePasswordByOld() rejects a wrong old password', async () => {
      const { auth, storage } = await newcomer();
      const wrong = auth.updatePasswordByOld({ old_password: 'wrong', new_password: 'battery staple' });
      expect(await rejection(wrong)).toMatchObject({ error: 'invalid_username_or_password' });
      expect(storage.session()).toBeDefined();
    });

    it('setPassword() rejects a sudo token of another session, and one that is used', async () => {
      const [one, two] = [await newcomer(), await newcomer()];
      const { sudo_token } = await one.auth.sudo({ password: 'correct horse' });
      const change = { sudo_token: sudo_token!, new_password: 'battery staple' };
      expect(await rejection(two.auth.setPassword(change))).toMatchObject({ error: 'invalid_verification_code' });
      service.clock.advance(1);
      await one.auth.setPassword(change);
      expect(await rejection(one.auth.setPassword(change))).toMatchObject({ error: 'invalid_verification_code' });
    });

    it('editContact() changes the address, by which resetPassword() then works', async () => {
      const app = await newcomer();
      const email = 'new@example.com';
      const { sudo_token } = await app.auth.sudo({ password: 'correct horse' });
      const verification_token = await prove(app, email);
      await app.auth.editContact({ email, sudo_token: sudo_token!, verification_token });
      expect(await app.auth.getUserInfo()).toMatchObject({ email, email_verified: true });
      service.clock.advance(60);
      const stranger = oauthApp(service);
      const reset = { email, new_password: 'battery staple', verification_token: await prove(stranger, email) };
      await stranger.auth.resetPassword(reset);
      expect(await rejection(stranger.auth.resetPassword(reset))).toMatchObject({ error: 'invalid_verification_code' });
      expect(await rejection(app.auth.getUserInfo())).toMatchObject({ error: 'unauthenticated' });
      expect(await signsIn(email, 'battery staple')).toBe(true);
    });

    it('editContact() rejects an address of another user', async () => {
      const owner = await newcomer();
      const email = 'owned@example.com';
      const own = await owner.auth.sudo({ password: 'correct horse' });
      const token = await prove(owner, email);
      await owner.auth.editContact({ email, sudo_token: own.sudo_token!, verification_token: token });
      service.clock.advance(60);
      const other = await newcomer();
      const { sudo_token } = await other.auth.sudo({ password: 'correct horse' });
      const verification_token = await prove(other, email);
      const taken = other.auth.editContact({ email, sudo_token: sudo_token!, verification_token });
      expect(await rejection(taken)).toMatchObject({ error: 'already_exists' });
    });

    it('a user without a password proves themselves by a code', async () => {
      const app = oauthApp(service);
      const email = 'no-password@example.com';
      await app.auth.signUp({ email, verification_token: await prove(app, email) });
      expect(await rejection(app.auth.sudo({ password: 'any' }))).toMatchObject({ error: 'password_not_set' });
      service.clock.advance(60);
      const { sudo_token } = await app.auth.sudo({ verification_token: await prove(app, email) });
      await app.auth.setPassword({ sudo_token: sudo_token!, new_password: 'battery staple' });
      expect(await signsIn(email, 'battery staple')).toBe(true);
    });

    it('setUserProfile() answers with the changed profile', async () => {
      const { auth } = await newcomer();
      const picture = 'https://example.com/ada.png';
      expect(
        await auth.setUserProfile({ name: 'Ada', gender: 'female', locale: 'zh-CN', picture, username: 'countess' }),
      ).toMatchObject({ name: 'Ada', gender: 'FEMALE', locale: 'zh-CN', picture, username: 'countess' });
      expect(await signsIn('Countess', 'correct horse')).toBe(true);
    });

    it('setUserProfile() rejects a username that is taken, and one that looks like an address', async () => {
      const { auth } = await newcomer();
      expect(await rejection(auth.setUserProfile({ username: 'Ada' }))).toMatchObject({
        error: 'username_already_exists',
      });
      expect(await rejection(auth.setUserProfile({ username: 'ada@example.com' }))).toMatchObject({
        error: 'invalid_argument',
      });
    });

    it('an anonymous user has nothing of that', async () => {
      const { auth } = oauthApp(service);
      await auth.signInAnonymously();
      expect(await rejection(auth.setUserProfile({ name: 'Nobody' }))).toMatchObject({ error: 'permission_denied' });
      expect(await rejection(auth.sudo({ password: 'any' }))).toMatchObject({ error: 'password_not_set' });
    });
  });

  it('checkIfUserExist() is not served, unless that is switched on', async () => {
    const { auth } = await signedIn();
    expect(await rejection(auth.checkIfUserExist({ username: 'ada' }))).toMatchObject({ error: 'not_found' });
  });
});
