import { hash } from '@node-rs/argon2';
import request, { type Response } from 'supertest';
import { codesSentTo, FIRST_PARTY_GRANTS } from './cloudbase/sdk.js';
import { invalid } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';
import { titleOf, Visitor } from './visitor.js';

/** One password, as keyboards send it. */
const NFC = 'Crème brûlée';
const NFD = NFC.normalize('NFD');
const NO_BREAK = NFD.replace(' ', '\u00a0');
const IDEOGRAPHIC = NFC.replace(' ', '\u3000');
const SPELLINGS = [NFC, NFD, NO_BREAK, IDEOGRAPHIC];

describe('a password (RFC 8265 §4.2.1, OpaqueString)', () => {
  let service: Service;
  let n = 0;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false, limitClient: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS, first_party: true });
  });
  afterAll(() => service.close());

  const newUser = async (password: string) => {
    const username = `user-${++n}`;
    return { username, sub: await service.user(username, password) };
  };
  const post = (path: string, body: object): request.Test =>
    request(service.url)
      .post(path)
      .send({ client_id: 'app', ...body });
  const signIn = (username: string, password: string) =>
    post('/auth/v1/token', { grant_type: 'password', username, password });
  const as = async (username: string, password: string) => {
    const { access_token } = (await signIn(username, password)).body as { access_token: string };
    return (method: 'post' | 'patch', path: string, body: object): request.Test =>
      request(service.url)[method](`/auth/v1${path}`).set('Authorization', `Bearer ${access_token}`).send(body);
  };
  const prove = async (email: string) => {
    const { verification_id } = (await post('/auth/v1/verification', { email, target: 'ANY' })).body;
    const verification_code = codesSentTo(service, email).at(-1);
    return (await post('/auth/v1/verification/verify', { verification_id, verification_code })).body
      .verification_token as string;
  };
  const storedOf = async (sub: string) => {
    const [row] = await service.sql('SELECT * FROM auth_user WHERE id = ?', [sub]);
    return (row as { password_hash: string }).password_hash;
  };

  /** Every door that judges a password: whether it takes this one. */
  const CHECKED: [string, (username: string, password: string) => Promise<boolean>][] = [
    ['/auth/v1/token', async (username, password) => isOk(await signIn(username, password))],
    [
      '/oauth2/token',
      async (username, password) => isOk(await post('/oauth2/token', { grant_type: 'password', username, password })),
    ],
    ['/auth/v1/signin', async (username, password) => isOk(await post('/auth/v1/signin', { username, password }))],
    [
      'the sign-in page',
      async (username, password) => {
        const visitor = new Visitor(service.url);
        return (await visitor.signIn(await visitor.authorize(), username, password)).status === 303;
      },
    ],
    [
      'the sign-in page for a device',
      async (username, password) => {
        const visitor = new Visitor(service.url);
        return titleOf(await visitor.signIn(await visitor.get('/device'), username, password)) !== 'Sign in';
      },
    ],
    [
      '/auth/v1/user/sudo',
      async (username, password) => isOk(await (await as(username, NFC))('post', '/user/sudo', { password })),
    ],
    [
      '/auth/v1/user/basic/edit',
      async (username, password) =>
        isOk(await (await as(username, NFC))('post', '/user/basic/edit', { password, new_password: NFC })),
    ],
  ];

  it.each(CHECKED)('is the same from every keyboard at %s', async (_, takes) => {
    const { username } = await newUser(NFC);
    for (const spelling of SPELLINGS) expect([spelling, await takes(username, spelling)]).toEqual([spelling, true]);
    for (const other of ['Creme brulee', NFC.toLowerCase(), NFC.replace(' ', '  '), ` ${NFC}`, 'Crème\u200bbrûlée']) {
      expect([other, await takes(username, other)]).toEqual([other, false]);
    }
  });

  /** Every door that takes a new one. @returns whose it is */
  const CHOSEN: [string, (password: string) => Promise<string>][] = [
    ['UserService, and so the command line', async (password) => (await newUser(password)).username],
    [
      '/auth/v1/user/password',
      async (password) => {
        const { username } = await newUser('correct horse');
        const call = await as(username, 'correct horse');
        const { sudo_token } = (await call('post', '/user/sudo', { password: 'correct horse' })).body;
        await call('patch', '/user/password', { sudo_token, new_password: password });
        return username;
      },
    ],
    [
      '/auth/v1/user/basic/edit',
      async (password) => {
        const { username } = await newUser('correct horse');
        const edit = { password: 'correct horse', new_password: password };
        await (
          await as(username, 'correct horse')
        )('post', '/user/basic/edit', edit);
        return username;
      },
    ],
    [
      '/auth/v1/signup and /auth/v1/reset',
      async (password) => {
        const email = `new-${++n}@example.com`;
        const sent = { email, password: 'correct horse', verification_token: await prove(email) };
        await post('/auth/v1/signup', sent);
        service.clock.advance(61);
        await post('/auth/v1/reset', { email, new_password: password, verification_token: await prove(email) });
        return email;
      },
    ],
    [
      '/auth/v1/signup',
      async (password) => {
        const email = `new-${++n}@example.com`;
        await post('/auth/v1/signup', { email, password, verification_token: await prove(email) });
        return email;
      },
    ],
  ];

  it.each(CHOSEN)('is set at %s for every keyboard', async (_, set) => {
    const username = await set(NO_BREAK);
    for (const spelling of SPELLINGS) expect((await signIn(username, spelling)).status).toBe(200);
  });

  it('that was hashed as it was typed goes on, and works from every keyboard from then on', async () => {
    for (const [i, typed] of [NFD, NO_BREAK, IDEOGRAPHIC].entries()) {
      const { username, sub } = await newUser('correct horse');
      const old = await hash(typed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
      await service.sql('UPDATE auth_user SET password_hash = ? WHERE id = ?', [old, sub]);
      if (i === 0) expect((await signIn(username, 'wrong')).status).toBe(400);
      expect(await storedOf(sub)).toBe(old);
      expect((await signIn(username, typed)).status).toBe(200);
      expect(await storedOf(sub)).not.toBe(old);
      for (const spelling of SPELLINGS) expect((await signIn(username, spelling)).status).toBe(200);
    }
  });

  it('is as long as it is hashed: combining characters do not make it longer', async () => {
    const { username } = await newUser('correct horse');
    const call = await as(username, 'correct horse');
    const edit = (new_password: string) =>
      call('post', '/user/basic/edit', { password: 'correct horse', new_password });
    expectError(await edit('éééé'.normalize('NFD')), invalid('new_password', 'must be at least 8 characters'));
    expect((await edit('éééééééé'.normalize('NFD'))).body).toEqual({});
  });
});

function isOk({ status }: Response): boolean {
  return status === 200;
}
