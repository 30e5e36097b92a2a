import request, { type Response } from 'supertest';
import { Sweeper } from '../../src/base/database/sweeper.js';
import { UserService } from '../../src/core/users/user.service.js';
import { VerificationSender } from '../../src/cloudbase/verification/verification-sender.js';
import { missing } from '../fixtures.js';
import { expectError, type Service, type StartOptions, startService } from '../service.js';
import { openMailbox } from './mailbox.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './sdk.js';

const start = async (options?: StartOptions): Promise<Service> => {
  const service = await startService({
    ...options,
    auth: { limitIp: false, limitAccount: false, ...options?.auth },
  });
  await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
  await service.client({ id: 'web', grant_types: ['authorization_code'] });
  return service;
};
const post = (service: Service, path: string, body: object, client = 'app'): Promise<Response> =>
  request(service.url).post(`/auth/v1${path}?client_id=${client}`).send(body);

const WRONG_CODE = {
  error: 'invalid_verification_code',
  reason: 'VERIFICATION_CODE_INVALID',
  message: 'The verification code is wrong, used or expired.',
} as const;
const WRONG_TOKEN = { error: 'invalid_verification_code', reason: 'VERIFICATION_TOKEN_INVALID' } as const;

describe('verification codes', () => {
  let service: Service;
  let n = 0;
  let email: string;
  beforeAll(async () => (service = await start()));
  beforeEach(() => (email = `user-${++n}@example.com`));
  afterAll(() => service.close());

  const send = async (more: object = {}) => {
    const response = await post(service, '/verification', { email, ...more });
    return { response, id: response.body.verification_id as string, code: codesSentTo(service, email).at(-1)! };
  };
  const verify = (verification_id: string, verification_code: string) =>
    post(service, '/verification/verify', { verification_id, verification_code });
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

  it('are six digits that live for ten minutes', async () => {
    const { response, id, code } = await send();
    expect(response.body).toEqual({
      verification_id: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      expires_in: 600,
      is_user: false,
    });
    expect(code).toMatch(/^\d{6}$/);
    service.clock.advance(599);
    expect((await verify(id, code)).body).toEqual({ verification_token: expect.any(String), expires_in: 600 });
  });

  it('are dead after ten minutes', async () => {
    const { id, code } = await send();
    service.clock.advance(600);
    expectError(await verify(id, code), WRONG_CODE);
  });

  it('are dead after their use', async () => {
    const { id, code } = await send();
    expect((await verify(id, code)).status).toBe(200);
    expectError(await verify(id, code), WRONG_CODE);
  });

  it('are dead after five wrong tries', async () => {
    const { id, code } = await send();
    for (let i = 0; i < 5; i++) expectError(await verify(id, wrong(code)), WRONG_CODE);
    expectError(await verify(id, code), WRONG_CODE);
  });

  it('are tried at most five times by twenty at once', async () => {
    const { id, code } = await send();
    await Promise.all(Array.from({ length: 20 }, () => verify(id, wrong(code))));
    expectError(await verify(id, code), WRONG_CODE);
  });

  it('are good for one of five parallel exchanges', async () => {
    const { id, code } = await send();
    const answers = await Promise.all(Array.from({ length: 5 }, () => verify(id, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
  });

  it('are replaced by none that anybody asks for', async () => {
    const first = await send();
    service.clock.advance(60);
    const second = await send();
    const { body } = await verify(first.id, first.code);
    service.clock.advance(60);
    await send();
    expect((await verify(second.id, second.code)).status).toBe(200);
    const { verification_token } = body;
    expect((await post(service, '/signup', { email, verification_token })).status).toBe(200);
  });

  it('go out once a minute to one target, even where ten ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 10 }, () => send()));
    expect(asked.filter(({ response }) => response.status === 200)).toHaveLength(1);
    expect(codesSentTo(service, email)).toHaveLength(1);
    service.clock.advance(20);
    expectError((await send()).response, {
      error: 'resource_exhausted',
      reason: 'LIMIT_VERIFICATION',
      message: 'A code was sent a moment ago; try again later.',
      retryAfter: 40,
    });
    service.clock.advance(40);
    expect((await send()).response.status).toBe(200);
  });

  it('go out ten times a day to one target', async () => {
    for (let i = 0; i < 10; i++) {
      expect((await send()).response.status).toBe(200);
      service.clock.advance(60);
    }
    expectError((await send()).response, {
      error: 'resource_exhausted',
      reason: 'LIMIT_VERIFICATION',
      retryAfter: 86_400 - 600,
    });
    service.clock.advance(86_400 - 600);
    expect((await send()).response.status).toBe(200);
  });

  it('are kept as keyed hashes, as are their targets and tokens', async () => {
    const { id, code } = await send();
    const { body } = await verify(id, code);
    const tables = ['auth_verification', 'auth_verification_allowance'];
    const read = (table: string) => service.sql(`SELECT * FROM ${table}`);
    const rows = JSON.stringify(await Promise.all(tables.map(read)));
    expect(rows).toContain(id);
    for (const secret of [code, email, body.verification_token as string]) expect(rows).not.toContain(`"${secret}"`);
  });

  it('leave no rows behind for ever', async () => {
    await send();
    service.clock.advance(2 * 86_400);
    await service.app.get(Sweeper).sweep();
    for (const table of ['auth_verification', 'auth_verification_allowance']) {
      expect(await service.sql(`SELECT * FROM ${table}`)).toEqual([]);
    }
  });

  it.each([
    ['no target', { email: undefined }, 'email', 'is required, or phone_number', 'PARAMETER_MISSING'],
    ['a malformed address', { email: 'nobody' }, 'email', 'must be an e-mail address', 'PARAMETER_INVALID'],
    [
      'a malformed number',
      { email: undefined, phone_number: 'x' },
      'phone_number',
      'must be like +86 13800000000',
      'PARAMETER_INVALID',
    ],
    [
      'another kind of target',
      { target: 'ALL' },
      'target',
      'must be ANY, USER, NOT_USER or CUR_USER',
      'PARAMETER_INVALID',
    ],
  ])('POST /verification refuses %s', async (_, more, field, description, reason) => {
    expectError((await send(more)).response, { error: 'invalid_argument', reason, fields: [{ field, description }] });
  });

  it('POST /verification is for clients that have a use for a code', async () => {
    expectError(await post(service, '/verification', { email }, 'web'), {
      error: 'permission_denied',
      reason: 'GRANT_TYPE_NOT_ALLOWED',
    });
    expectError(await post(service, '/verification', { email }, 'nobody'), {
      error: 'invalid_client',
      reason: 'CLIENT_UNKNOWN',
    });
    const dead = await request(service.url)
      .post('/auth/v1/verification')
      .set('Authorization', 'Bearer a.b.c')
      .send({ email });
    expectError(dead, { error: 'unauthenticated', reason: 'ACCESS_TOKEN_INVALID' });
  });

  it.each([
    [{ verification_code: '123456' }, 'verification_id', 'is required', 'PARAMETER_MISSING'],
    [{ verification_id: 'x' }, 'verification_code', 'is required', 'PARAMETER_MISSING'],
    [
      { verification_id: 'x', verification_code: '12345' },
      'verification_code',
      'must be six digits',
      'PARAMETER_INVALID',
    ],
    [
      { verification_id: 'x'.repeat(65), verification_code: '123456' },
      'verification_id',
      'must be at most 64 characters',
      'PARAMETER_TOO_LONG',
    ],
  ])('POST /verification/verify refuses %j', async (body, field, description, reason) => {
    expectError(await post(service, '/verification/verify', body), {
      error: 'invalid_argument',
      reason,
      fields: [{ field, description }],
    });
  });

  describe('and accounts', () => {
    beforeEach(async () => {
      const contact = { channel: 'email', value: email } as const;
      await service.app.get(UserService).signUp(contact, { password: 'correct horse' });
    });
    const token = async (more?: object) => {
      const { id, code } = await send(more);
      return (await verify(id, code)).body.verification_token as string;
    };
    const reset = (verification_token: string, more: object = {}) =>
      post(service, '/reset', { email, new_password: 'battery staple', verification_token, ...more });

    it('do not tell who has one, in the answer', async () => {
      const known = await send({ target: 'USER' });
      email = 'nobody@example.com';
      const unknown = await send({ target: 'USER' });
      const same = { verification_id: expect.any(String), expires_in: 600, is_user: false };
      expect([known.response.body, unknown.response.body]).toEqual([same, same]);
      expect([known.code, unknown.code]).toEqual([expect.any(String), undefined]);
    });

    it('do not tell it in the limits or by a slow mail server either', async () => {
      const sender = service.app.get(VerificationSender);
      const original = sender.send.bind(sender);
      let release!: () => void;
      const slow = new Promise<void>((resolve) => (release = resolve));
      sender.send = () => slow;
      const known = await send({ target: 'USER' });
      const again = await send({ target: 'USER' });
      email = 'nobody-at-all@example.com';
      const unknown = await send({ target: 'USER' });
      const unknownAgain = await send({ target: 'USER' });
      sender.send = original;
      release();
      const statuses = [known, again, unknown, unknownAgain].map(({ response }) => response.status);
      expect(statuses).toEqual([200, 429, 200, 429]);
    });

    it.each([
      ['NOT_USER', 0],
      ['CUR_USER', 0],
      ['USER', 1],
      ['ANY', 1],
    ])('target %s sends %d codes to a user when a stranger asks', async (target, sent) => {
      await send({ target });
      expect(codesSentTo(service, email)).toHaveLength(sent);
    });

    it('POST /reset sets the password, ends every session, and uses the proof up', async () => {
      const { body } = await post(service, '/signin', { username: email, password: 'correct horse' });
      const proof = await token({ target: 'USER' });
      service.clock.advance(1);
      const response = await reset(proof);
      expect([response.status, response.body]).toEqual([200, {}]);
      expectError(await reset(proof), WRONG_TOKEN);
      const refresh = { client_id: 'app', grant_type: 'refresh_token', refresh_token: body.refresh_token };
      expectError(await service.token(refresh), { error: 'invalid_grant', reason: 'CREDENTIALS_CHANGED' });
      const old = await post(service, '/signin', { username: email, password: 'correct horse' });
      expectError(old, { error: 'invalid_username_or_password', reason: 'WRONG_USERNAME_OR_PASSWORD' });
      expect((await post(service, '/signin', { username: email, password: 'battery staple' })).status).toBe(200);
    });

    it('POST /reset says of a stranger with a genuine proof what it says of a wrong proof', async () => {
      email = 'stranger@example.com';
      expectError(await reset(await token()), WRONG_TOKEN);
      expectError(await reset('x'), WRONG_TOKEN);
    });

    it.each([
      [{ new_password: undefined }, 'new_password', 'is required', 'PARAMETER_MISSING'],
      [{ new_password: 'short' }, 'new_password', 'must be at least 8 characters', 'PARAMETER_INVALID'],
      [{ email: undefined }, 'email', 'is required, or phone_number', 'PARAMETER_MISSING'],
      [{ verification_token: undefined }, 'verification_token', 'is required', 'PARAMETER_MISSING'],
    ])('POST /reset refuses %j', async (more, field, description, reason) => {
      expectError(await reset('x', more), { error: 'invalid_argument', reason, fields: [{ field, description }] });
    });

    it('POST /user/basic/edit takes only an address whose code this very user has verified', async () => {
      const { body } = await post(service, '/signin', { username: email, password: 'correct horse' });
      const { body: eve } = await request(service.url)
        .post('/auth/v1/signin/anonymously?client_id=app')
        .set('x-device-id', `device-${n}`)
        .send({});
      const as = (tokens: { access_token: string }, path: string, values: object) =>
        request(service.url).post(`/auth/v1${path}`).set('Authorization', `Bearer ${tokens.access_token}`).send(values);
      const wanted = `new-${n}@example.com`;
      expectError(await as(body, '/user/basic/edit', { email: wanted }), WRONG_TOKEN);
      // somebody else's proof
      const { body: sent } = await as(eve, '/verification', { email: wanted });
      await verify(sent.verification_id as string, codesSentTo(service, wanted).at(-1)!);
      expectError(await as(body, '/user/basic/edit', { email: wanted }), WRONG_TOKEN);
      // asked for, not verified
      service.clock.advance(60);
      const { body: own } = await as(body, '/verification', { email: wanted });
      expectError(await as(body, '/user/basic/edit', { email: wanted }), WRONG_TOKEN);
      await verify(own.verification_id as string, codesSentTo(service, wanted).at(-1)!);
      expect((await as(body, '/user/basic/edit', { email: wanted })).body).toEqual({});
      expectError(await as(body, '/user/basic/edit', { email: wanted }), WRONG_TOKEN);
    });
  });
});

describe('with revealAccounts', () => {
  let service: Service;
  beforeAll(async () => {
    service = await start({ auth: { revealAccounts: true } });
    await service.app.get(UserService).signUp({ channel: 'email', value: 'ada@example.com' }, {});
  });
  afterAll(() => service.close());

  it('verification tells who has an account', async () => {
    expect((await post(service, '/verification', { email: 'ada@example.com' })).body.is_user).toBe(true);
    const unknown = await post(service, '/verification', { email: 'nobody@example.com', target: 'USER' });
    expectError(unknown, { error: 'user_not_found', reason: 'USER_UNKNOWN', message: 'The user was not found.' });
  });

  it('sign-in tells that no password is set', async () => {
    const response = await post(service, '/signin', { username: 'ada@example.com', password: 'any password' });
    expectError(response, { error: 'password_not_set', reason: 'PASSWORD_NOT_SET' });
  });

  it('GET /checkIfUserExist is there', async () => {
    const exist = async (username: string) =>
      (await request(service.url).get('/auth/v1/checkIfUserExist').query({ client_id: 'app', username })).body;
    expect(await exist('Ada@Example.com')).toEqual({ exist: true });
    expect(await exist('nobody')).toEqual({ exist: false });
    expectError(await request(service.url).get('/auth/v1/checkIfUserExist?client_id=app'), missing('username'));
  });
});

describe('the default VerificationSender', () => {
  it('mails codes through AUTH_SMTP_URL, in the language of the caller, and logs none', async () => {
    const mailbox = await openMailbox();
    const { mails } = mailbox;
    const service = await start({ auth: { smtpUrl: mailbox.url } });
    await post(service, '/verification', { email: 'ada@example.com' });
    await request(service.url)
      .post('/auth/v1/verification?client_id=app')
      .set('Accept-Language', 'zh-CN')
      .send({ email: 'grace@example.com' });
    await service.close(); // waits for what is under way
    mailbox.close();
    expect(mails).toHaveLength(2);
    const english = mails.find((mail) => mail.includes('To: ada@example.com'))!;
    expect(english).toMatch(/^From: no-reply@auth\.example\.com\r$/m);
    expect(english).toMatch(/^Your verification code is \d{6}\. It works for 10 minutes\.\r$/m);
    const chinese = mails.find((mail) => mail.includes('To: grace@example.com'))!;
    expect(chinese).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(codesSentTo(service, 'ada@example.com')).toEqual([]);
  });

  it('refuses what nothing can deliver', async () => {
    const service = await start({ auth: { logVerificationCodes: false, smtpUrl: 'smtp://127.0.0.1:1' } });
    expectError(await post(service, '/verification', { phone_number: '13800000000' }), {
      error: 'permission_denied',
      reason: 'VERIFICATION_CHANNEL_OFF',
      message: 'Codes cannot be sent this way.',
    });
    await service.close();
  });

  it('answers when the mail server is away, and says so in the log', async () => {
    const service = await start({ auth: { logVerificationCodes: false, smtpUrl: 'smtp://127.0.0.1:1' } });
    expect((await post(service, '/verification', { email: 'ada@example.com' })).status).toBe(200);
    await service.close();
    expect(service.log).toContainEqual(expect.objectContaining({ msg: 'a verification code was not sent' }));
  });
});
