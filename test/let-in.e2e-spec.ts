import request from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { SessionService } from '../src/core/sessions/session.service.js';
import { PasswordHasher } from '../src/core/users/password-hasher.js';
import { signIn } from './fixtures.js';
import { expectError, type Service } from './service.js';
import {
  asAda,
  browserOfAda,
  EMAIL,
  runCommand,
  startBeside,
  startWithAda,
  verificationToken,
  WAYS_IN,
} from './ways-in.js';
import { titleOf, Visitor } from './visitor.js';

const PENDING = { error: 'user_pending', reason: 'USER_PENDING' } as const;
const DISABLED_CLIENT = { error: 'invalid_client', reason: 'CLIENT_DISABLED' } as const;
const ENDED = { error: 'invalid_grant', reason: 'USER_PENDING' } as const;
const PASSWORD = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };

describe('a user who waits for approval is not let in', () => {
  let service: Service;

  beforeEach(async () => ({ service } = await startWithAda()));
  afterEach(() => service.close());

  const wait = async () => {
    await service.sql('UPDATE auth_user SET pending = ?', [true]); // and nothing else: by this alone
    service.clock.advance(5); // beyond every cache
  };

  it.each(Object.entries(WAYS_IN))('by %s', async (way, prove) => {
    const redeem = await prove(service);
    await wait();
    expectError(await redeem(), way === 'a refresh token' ? ENDED : PENDING);
  });

  it('by a password', async () => {
    await wait();
    expectError(await service.token(PASSWORD), PENDING);
  });

  it.each(['verification', 'sign_up'])('by the grant %s', async (grant_type) => {
    const verification_token = await verificationToken(service);
    await wait();
    const who = grant_type === 'sign_up' ? { email: EMAIL } : { username: EMAIL };
    expectError(await service.token({ client_id: 'app', grant_type, verification_token, ...who }), PENDING);
  });

  it('by the sign-in page, which says so', async () => {
    await wait();
    const visitor = new Visitor(service.url);
    const page = await visitor.signIn(await visitor.authorize());
    expect([page.status, titleOf(page)]).toEqual([400, 'Sign in']);
    expect(page.text).toContain('The user waits for approval.');
  });

  it('by a browser that is signed in', async () => {
    const visitor = await browserOfAda(service);
    await wait();
    expect(titleOf(await visitor.authorize())).toBe('Sign in');
  });

  it('by an access token, where it is asked whether it lives', async () => {
    const { access_token } = await signIn(service, { scope: 'openid' });
    await wait();
    const userinfo = request(service.url).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`);
    const answers = [await userinfo, await asAda(service, access_token)('get', '/user/me')];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    const asked = await asAda(service, access_token)('get', '/token/introspect');
    expect(asked.body).toEqual({ active: false });
  });
});

describe('a client that is disabled lets nobody in, not even where another process still has it in its cache', () => {
  let service: Service;
  let other: Service;
  let sub: string;

  beforeEach(async () => {
    ({ service, sub } = await startWithAda());
    other = await startBeside(service);
  });
  afterEach(async () => {
    await other.close();
    await service.close();
  });

  const disable = () => runCommand(other, 'clients', 'disable', 'app');
  const alive = async () =>
    (await service.app.get(SessionService).list(sub)).filter(({ revoked_at }) => revoked_at === null);

  it.each(Object.entries(WAYS_IN))('by %s', async (_, prove) => {
    const redeem = await prove(service);
    await disable();
    expect((await redeem()).status).toBeGreaterThanOrEqual(400);
    expect(await alive()).toEqual([]);
  });

  it.each(Object.entries(WAYS_IN).filter(([way]) => way !== 'a refresh token'))(
    'by %s, though nothing but the client was changed',
    async (_, prove) => {
      const redeem = await prove(service);
      await other.app.get(ClientService).setDisabled('app', true);
      expectError(await redeem(), DISABLED_CLIENT);
    },
  );

  it('by a password that was being checked', async () => {
    const hasher = service.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    hasher.verify = async (...args) => {
      const matches = await verify(...args);
      await disable();
      return matches;
    };
    expectError(await service.token(PASSWORD), DISABLED_CLIENT);
    expect(await alive()).toEqual([]);
  });

  it('and its access tokens say nothing more at userinfo and introspection', async () => {
    const { access_token, refresh_token } = await signIn(service, { scope: 'openid' });
    const reader = await service.client({ id: 'reader', public: false });
    const userinfo = () => request(service.url).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`);
    const introspect = (token: string) =>
      request(service.url)
        .post('/oauth2/introspect')
        .type('form')
        .send({ ...reader, token });
    expect([(await userinfo()).status, (await introspect(access_token)).body.active]).toEqual([200, true]);
    await other.app.get(ClientService).setDisabled('app', true);
    service.clock.advance(2);
    expect((await userinfo()).status).toBe(401);
    expect((await introspect(access_token)).body).toEqual({ active: false });
    expect((await introspect(refresh_token)).body).toEqual({ active: false });
  });
});
