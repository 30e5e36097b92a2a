import request, { type Response } from 'supertest';
import { AuthDatabase } from '../../src/base/database/auth-database.js';
import { UserRow } from '../../src/core/users/user.entity.js';
import { UserService } from '../../src/core/users/user.service.js';
import { expectError, type Service, startService } from '../service.js';
import { REQUEST } from '../visitor.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from '../cloudbase/sdk.js';

const LIMITED = {
  error: 'resource_exhausted',
  reason: 'LIMIT_NAMES',
  message: 'Too many usernames were tried; try again later.',
} as const;
const TAKEN = { error: 'username_already_exists', reason: 'USERNAME_TAKEN' } as const;
const WRONG_TOKEN = { error: 'invalid_verification_code', reason: 'VERIFICATION_TOKEN_INVALID' } as const;

describe('who has no proof', () => {
  let service: Service;
  let statements: string[] = [];

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false, limitSends: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    await service.app
      .get(UserService)
      .signUp({ channel: 'email', value: 'ada@example.com' }, { password: 'correct horse' });
    const { driver } = service.app.get(AuthDatabase).repository(UserRow).manager.connection;
    const { databaseConnection } = driver as unknown as {
      databaseConnection: { on(event: 'trace', hear: (sql: string) => void): void };
    };
    databaseConnection.on('trace', (sql) => statements.push(sql.replace(/'[^']*'|\b\d+\b/g, '?')));
  });
  afterAll(() => service.close());

  const post = (path: string, body: object) => request(service.url).post(`${path}?client_id=app`).send(body);
  const proof = { verification_token: 'a-wrong-one' };

  it.each<[string, (email: string) => Promise<Response>]>([
    ['POST /signin by a token', async (username) => post('/auth/v1/signin', { username, ...proof })],
    [
      'POST /token by the verification grant',
      async (username) => post('/auth/v1/token', { grant_type: 'verification', username, ...proof }),
    ],
    [
      'POST /oauth2/token by the verification grant',
      async (username) =>
        post('/oauth2/token', { grant_type: 'urn:nest-auth:grant-type:verification', username, ...proof }),
    ],
    ['POST /signup', async (email) => post('/auth/v1/signup', { email, ...proof })],
    ['POST /reset', async (email) => post('/auth/v1/reset', { email, new_password: 'battery staple', ...proof })],
    ['POST /verification', async (email) => post('/auth/v1/verification', { email })],
    ['POST /verification to a USER', async (email) => post('/auth/v1/verification', { email, target: 'USER' })],
    ['POST /verification to a NOT_USER', async (email) => post('/auth/v1/verification', { email, target: 'NOT_USER' })],
    [
      'GET /oauth2/authorize with login_hint',
      async (login_hint) =>
        request(service.url)
          .get('/oauth2/authorize')
          .query({ ...REQUEST, login_hint }),
    ],
  ])('makes the database do the same for a user and for a stranger: %s', async (_, ask) => {
    const seen: unknown[] = [];
    for (const email of ['ada@example.com', 'bob@example.com']) {
      statements = [];
      const { status, body } = await ask(email);
      const { error } = body as { error?: string };
      await new Promise((resolve) => setTimeout(resolve, 20)); // sqlite3 tells of a statement when it is done
      seen.push({ status, error, statements });
      service.clock.advance(61);
    }
    expect(statements).not.toEqual([]);
    expect(seen[1]).toEqual(seen[0]);
    expect(statements.filter((sql) => /^(INSERT INTO|UPDATE|DELETE FROM) "?auth_session/.test(sql))).toEqual([]);
  });
});

describe('usernames that others have', () => {
  let service: Service;
  let n = 0;

  beforeAll(async () => {
    service = await startService({
      auth: { limitIp: false, limitAccount: false, limitNames: { requests: 3, seconds: 3600 } },
      settings: { trustProxy: 1 },
    });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const newcomer = async () => {
    const username = `newcomer-${++n}`;
    await service.user(username, 'correct horse');
    const { body } = await request(service.url)
      .post('/auth/v1/signin?client_id=app')
      .send({ username, password: 'correct horse' });
    return { username, token: body.access_token as string };
  };
  const profile = (token: string, body: object, from: string) =>
    request(service.url)
      .patch('/auth/v1/user/profile')
      .set('Authorization', `Bearer ${token}`)
      .set('X-Forwarded-For', from)
      .send(body);
  const basic = (token: string, body: object, from: string) =>
    request(service.url)
      .post('/auth/v1/user/basic/edit')
      .set('Authorization', `Bearer ${token}`)
      .set('X-Forwarded-For', from)
      .send(body);

  it('are told by a profile a few times alone, by both of its doors, whatever session asks', async () => {
    const { username, token } = await newcomer();
    expectError(await profile(token, { username: 'ada' }, '192.0.2.1'), TAKEN);
    expectError(await basic(token, { username: 'ADA' }, '192.0.2.2'), TAKEN);
    expectError(await profile(token, { username: 'ada' }, '192.0.2.3'), TAKEN);
    const { body } = await request(service.url)
      .post('/auth/v1/signin?client_id=app')
      .send({ username, password: 'correct horse' });
    for (const asked of ['ada', 'nobody-has-this']) {
      expectError(await profile(body.access_token as string, { username: asked }, '192.0.2.4'), {
        ...LIMITED,
        retryAfter: 1200,
      });
    }
    expect((await profile(token, { name: 'Newcomer', username }, '192.0.2.4')).status).toBe(200);
  });

  it('are told to one address a few times alone, whatever user asks', async () => {
    for (let i = 0; i < 3; i++) {
      expectError(await profile((await newcomer()).token, { username: 'ada' }, `2001:db8:9:${i}::1`), TAKEN);
    }
    const { token } = await newcomer();
    expectError(await profile(token, { username: 'ada' }, '2001:db8:9:8::1'), { ...LIMITED, retryAfter: 1200 });
  });

  it('are told at sign-up five times by one proof, which is dead then', async () => {
    const email = 'grace@example.com';
    const post = (path: string, body: object) => request(service.url).post(`/auth/v1${path}?client_id=app`).send(body);
    const { verification_id } = (await post('/verification', { email })).body;
    const verification_code = codesSentTo(service, email)[0];
    const { verification_token } = (await post('/verification/verify', { verification_id, verification_code })).body;
    const signUp = (username: string) => post('/signup', { email, verification_token, username });
    for (let i = 0; i < 5; i++) expectError(await signUp('ada'), TAKEN);
    expectError(await signUp('ada'), WRONG_TOKEN);
    expectError(await signUp('nobody-has-this'), WRONG_TOKEN);
  });
});
