import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import request, { type Response } from 'supertest';
import { AuthDatabase } from '../../src/base/database/auth-database.js';
import { type purpose, ServiceSecret } from '../../src/base/crypto/service-secret.js';
import { VerificationSender } from '../../src/cloudbase/verification/verification-sender.js';
import { UserService } from '../../src/core/users/user.service.js';
import { SpellMailDomainsOneWay1764000006001 } from '../../src/core/migrations/1764000006001-spell-mail-domains-one-way.js';
import { expectError, type Service, type StartOptions, startService } from '../service.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './sdk.js';
import { itOnSqlite } from '../databases.js';

const OFF = { limitIp: false, limitAccount: false, limitSends: false, limitClientSends: false } as const;
const start = async (auth: StartOptions['auth'] = {}): Promise<Service> => {
  const service = await startService({ auth: { ...OFF, ...auth }, settings: { trustProxy: 1 } });
  await service.client({ id: 'app', name: 'Orders', grant_types: FIRST_PARTY_GRANTS });
  await service.client({ id: 'other', grant_types: FIRST_PARTY_GRANTS });
  return service;
};

const WRONG_CODE = { error: 'invalid_verification_code', reason: 'VERIFICATION_CODE_INVALID' } as const;
const WRONG_TOKEN = { error: 'invalid_verification_code', reason: 'VERIFICATION_TOKEN_INVALID' } as const;
const LIMITED = { error: 'resource_exhausted', reason: 'LIMIT_VERIFICATION' } as const;

interface Where {
  client?: string;
  from?: string;
  method?: 'post' | 'patch';
}

describe('a verification code', () => {
  let service: Service;
  let n = 0;
  let email: string;
  let bearer: string | undefined;
  beforeAll(async () => (service = await start()));
  beforeEach(() => {
    email = `somebody-${++n}@example.com`;
    bearer = undefined;
  });
  afterAll(() => service.close());

  const call = (path: string, body: object, { client = 'app', from = '192.0.2.1', method = 'post' }: Where = {}) => {
    const sent = request(service.url)[method](`/auth/v1${path}`).set('X-Forwarded-For', from);
    if (bearer === undefined) return sent.query({ client_id: client }).send(body);
    return sent.set('Authorization', `Bearer ${bearer}`).send(body);
  };
  const ask = async (more: object = {}, where?: Where) => {
    const response = await call('/verification', { email, ...more }, where);
    return {
      response,
      verification_id: String(response.body.verification_id),
      verification_code: codesSentTo(service, email).at(-1)!,
    };
  };
  const prove = async (more: object = {}) => {
    const { verification_id, verification_code } = await ask(more);
    const { body } = await request(service.url)
      .post('/auth/v1/verification/verify?client_id=app')
      .send({ verification_id, verification_code });
    return body.verification_token as string;
  };
  const signUp = () =>
    service.app.get(UserService).signUp({ channel: 'email', value: email }, { password: 'correct horse' });
  const signIn = async () => {
    bearer = undefined;
    const credentials = { username: email, password: 'correct horse' };
    bearer = (await call('/signin', credentials)).body.access_token as string;
  };

  it('is good at no other client than the one that asked for it, and neither is its token', async () => {
    await signUp();
    const { verification_id, verification_code } = await ask();
    const code = { verification_id, verification_code };
    expectError(await call('/verification/verify', code, { client: 'other' }), WRONG_CODE);
    const { verification_token } = (await call('/verification/verify', code)).body;
    const uses: [string, object][] = [
      ['/signin', { username: email, verification_token }],
      ['/signup', { email, verification_token }],
      ['/reset', { email, new_password: 'battery staple', verification_token }],
    ];
    for (const [path, body] of uses) expectError(await call(path, body, { client: 'other' }), WRONG_TOKEN);
    expect((await call('/signin', { username: email, verification_token })).status).toBe(200);
  });

  const USES: Record<string, (verification_token: string) => Promise<Response>> = {
    sign_in: async (verification_token) => call('/signin', { username: email, verification_token }),
    sign_up: async (verification_token) => call('/signup', { email, verification_token }),
    reset: async (verification_token) => call('/reset', { email, new_password: 'battery staple', verification_token }),
    sudo: async (verification_token) => {
      await signIn();
      return call('/user/sudo', { verification_token });
    },
    contact: async (verification_token) => {
      await signIn();
      const { sudo_token } = (await call('/user/sudo', { password: 'correct horse' })).body;
      return call('/user/contact', { email, verification_token, sudo_token }, { method: 'patch' });
    },
  };

  it.each([
    ['to no target', {}, false, ['sign_in', 'sign_up', 'reset']],
    ['to ANY', { target: 'ANY' }, false, ['sign_in', 'sign_up', 'reset']],
    ['to a USER', { target: 'USER' }, false, ['sign_in', 'sign_up', 'reset']],
    ['by the SDK’s sign-in', { target: 'USER', usage: 'email' }, false, ['sign_in', 'sign_up']],
    ['by the SDK’s reset', { target: 'USER', usage: 'recovery' }, false, ['reset']],
    ['by a signed-in user, to themselves', {}, true, ['sign_in', 'sudo']],
    ['to CUR_USER', { target: 'CUR_USER' }, true, ['sign_in', 'sudo']],
  ])('asked for %s is good for its purpose alone', async (_, asked, signedIn, allowed) => {
    await signUp();
    for (const [use, tryIt] of Object.entries(USES)) {
      bearer = undefined;
      if (signedIn) await signIn();
      const token = await prove(asked);
      bearer = undefined;
      const response = await tryIt(token);
      if (allowed.includes(use)) expect([use, response.status]).toEqual([use, 200]);
      else expectError(response, WRONG_TOKEN);
      if (use === 'reset' && allowed.includes(use)) {
        service.clock.advance(61);
        const back = await prove({ usage: 'recovery' });
        await call('/reset', { email, new_password: 'correct horse', verification_token: back });
      }
      service.clock.advance(61);
    }
  });

  it('asked for a NOT_USER signs up, and does nothing else', async () => {
    for (const [path, body] of [
      ['/signin', { username: email }],
      ['/reset', { email, new_password: 'battery staple' }],
    ] as const) {
      const verification_token = await prove({ target: 'NOT_USER' });
      expectError(await call(path, { ...body, verification_token }), WRONG_TOKEN);
      service.clock.advance(60);
    }
    const verification_token = await prove({ target: 'NOT_USER' });
    expect((await call('/signup', { email, verification_token })).status).toBe(200);
  });

  it('asked for a new contact by a signed-in user lets nobody in, and is good for that user alone', async () => {
    await signUp();
    await signIn();
    const ada = bearer;
    email = `new-${n}@example.com`;
    const verification_token = await prove();
    bearer = undefined;
    expectError(await call('/signup', { email, verification_token }), WRONG_TOKEN);
    expectError(await call('/reset', { email, new_password: 'battery staple', verification_token }), WRONG_TOKEN);
    const eve = `eve-${n}`;
    await service.user(eve, 'correct horse');
    const as = async (token: string) => {
      bearer = token;
      const { sudo_token } = (await call('/user/sudo', { password: 'correct horse' })).body;
      return call('/user/contact', { email, verification_token, sudo_token }, { method: 'patch' });
    };
    const { body } = await call('/signin', { username: eve, password: 'correct horse' });
    expectError(await as(body.access_token as string), WRONG_TOKEN);
    expect((await as(ada!)).body).toEqual({});
  });

  it('that nobody was sent is right by no guess', async () => {
    await signUp();
    const { verification_id } = await ask({ target: 'NOT_USER' });
    expect(codesSentTo(service, email)).toEqual([]);
    const [row] = await service.sql<{ code_hash: string }>('SELECT code_hash FROM auth_verification WHERE id = ?', [
      verification_id,
    ]);
    const secret = service.app.get(ServiceSecret);
    const CODE = 'verification-code' as ReturnType<typeof purpose>;
    let right = 0;
    for (let code = 0; code < 1_000_000; code++) {
      if (secret.hash(CODE, `${verification_id}:${String(code).padStart(6, '0')}`) === row!.code_hash) right++;
    }
    expect(right).toBe(0);
  }, 60_000);

  it('that could not be sent is dead', async () => {
    const sender = service.app.get(VerificationSender);
    const original = sender.send.bind(sender);
    let sent = '';
    sender.send = ({ code }) => {
      sent = code;
      return Promise.reject(new Error('no route to the mail server'));
    };
    const { verification_id } = await ask();
    sender.send = original;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expectError(await call('/verification/verify', { verification_id, verification_code: sent }), WRONG_CODE);
  });

  it('cannot be denied to its owner by a stranger who asks for as many as there are', async () => {
    await signUp();
    for (let i = 0; i < 12; i++) {
      await ask({}, { from: '198.51.100.7' });
      service.clock.advance(60);
    }
    expectError((await ask({}, { from: '198.51.100.7' })).response, { ...LIMITED, retryAfter: 86_400 - 720 });
    expect((await ask({ target: 'USER', usage: 'recovery' })).response.status).toBe(200);
  });

  it('goes out thirty times a day to one target from all networks together, but always to the signed-in owner', async () => {
    await signUp();
    await signIn();
    const owner = bearer;
    bearer = undefined;
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++) statuses.push((await ask({}, { from: `198.51.100.${i}` })).response.status);
    expect(statuses).toEqual([...Array<number>(30).fill(200), 429]);
    expect((await ask({}, { from: '2001:db8::1' })).response.status).toBe(429);
    bearer = owner;
    expect((await ask({ target: 'CUR_USER' })).response.status).toBe(200);
  });

  it('counts the addresses of one /48 of IPv6 as one asker', async () => {
    expect((await ask({}, { from: '2001:db8:1:1::1' })).response.status).toBe(200);
    expectError((await ask({}, { from: '2001:db8:1:2::2' })).response, { ...LIMITED, retryAfter: 60 });
  });

  it.each([
    ['capitals', 'Ada@EXAMPLE.net', 'ada@example.net'],
    ['a dot at the end', 'ada@example.net.', 'ada@example.net'],
    ['full-width letters', 'ada@ｅｘａｍｐｌｅ．ｎｅｔ', 'ada@example.net'],
    ['a Chinese full stop', 'ada@example。net', 'ada@example.net'],
    ['Unicode', 'ada@MÜNCHEN.example', 'ada@xn--mnchen-3ya.example'],
    ['punycode', 'ada@XN--mnchen-3ya.example', 'ada@xn--mnchen-3ya.example'],
  ])('goes to one mailbox once, its domain in %s (RFC 5321 §2.3.5)', async (_, spelled, canonical) => {
    service.clock.advance(3600);
    const sent = codesSentTo(service, canonical).length;
    email = spelled;
    expect((await ask()).response.status).toBe(200);
    expect(codesSentTo(service, canonical)).toHaveLength(sent + 1);
    email = canonical;
    expectError((await ask()).response, { ...LIMITED, retryAfter: 60 });
  });

  it.each(['ada@ex%61mple.net', 'ada@example.net/x', 'ada@example.net?x', 'ada@a..b', 'ada@example'])(
    'goes to no address that only looks like one: %s',
    async (address) => {
      email = address;
      const fields = [{ field: 'email', description: 'must be an e-mail address' }];
      expectError((await ask()).response, { error: 'invalid_argument', reason: 'PARAMETER_INVALID', fields });
    },
  );

  it('finds the users of an earlier release, whose addresses were spelled in Unicode', async () => {
    const { sub } = await signUp();
    const old = `ada-${n}@münchen.example`;
    await service.sql('UPDATE auth_user SET login_email = ?, email = ? WHERE id = ?', [old, old, sub]);
    const runner = service.app.get(AuthDatabase).dataSource.createQueryRunner();
    await new SpellMailDomainsOneWay1764000006001().up(runner);
    await runner.release();
    email = `ada-${n}@xn--mnchen-3ya.example`;
    const verification_token = await prove({ target: 'USER' });
    email = old;
    expect((await call('/signup', { email, verification_token })).body).toMatchObject({ sub });
  });
});

describe('the budgets of verification codes', () => {
  const send = (service: Service, n: number, { client = 'app', from = '192.0.2.1' } = {}) =>
    request(service.url)
      .post(`/auth/v1/verification?client_id=${client}`)
      .set('X-Forwarded-For', from)
      .send({ phone_number: `+86 1380000${1000 + n}` });
  const refused = (response: Response, retryAfter: number) =>
    expectError(response, {
      error: 'resource_exhausted',
      reason: 'LIMIT_SENDS',
      message: 'Too many codes were asked for; try again later.',
      retryAfter,
    });

  it('are one by address, for text messages cost money', async () => {
    const service = await start({ limitSends: { requests: 2, seconds: 3600 } });
    for (const n of [1, 2]) expect((await send(service, n)).status).toBe(200);
    refused(await send(service, 3, { client: 'other' }), 1800);
    expect((await send(service, 3, { from: '192.0.2.2' })).status).toBe(200);
    await service.close();
  });

  it('are one by client', async () => {
    const service = await start({ limitClientSends: { requests: 2, seconds: 3600 } });
    for (const n of [1, 2]) expect((await send(service, n, { from: `192.0.2.${n}` })).status).toBe(200);
    refused(await send(service, 3, { from: '192.0.2.3' }), 1800);
    expect((await send(service, 3, { client: 'other' })).status).toBe(200);
    await service.close();
  });
});

describe('the mail with a verification code', () => {
  const mails: string[] = [];
  const smtp = createServer((socket) => {
    let data: string | undefined;
    socket.write('220 test ESMTP\r\n');
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        const text = chunk.toString();
        if (data !== undefined) {
          data += text;
          if (!data.endsWith('\r\n.\r\n')) return;
          mails.push(data);
          data = undefined;
          socket.write('250 taken\r\n');
        } else if (/^DATA/i.test(text)) {
          data = '';
          socket.write('354 go on\r\n');
        } else socket.write(/^QUIT/i.test(text) ? '221 bye\r\n' : '250 test\r\n');
      });
  });
  let port: number;
  beforeAll(async () => {
    await once(smtp.listen(0, '0.0.0.0'), 'listening');
    port = (smtp.address() as AddressInfo).port;
  });
  afterAll(() => smtp.close());
  beforeEach(() => mails.splice(0));

  const mailed = async (auth: StartOptions['auth'], client: string, body: object, language = 'en') => {
    const service = await start({ smtpUrl: `smtp://127.0.0.1:${port}`, ...auth });
    await service.client({ id: 'mailing', grant_types: FIRST_PARTY_GRANTS });
    // straight into the table, for names have not always been checked
    await service.sql("UPDATE auth_client SET name = ? WHERE id = 'mailing'", [client]);
    await request(service.url)
      .post('/auth/v1/verification?client_id=mailing')
      .set('Accept-Language', language)
      .send({ email: 'ada@example.com', ...body });
    await service.close(); // waits for what is under way
    return service;
  };
  const decoded = () => {
    const [head = '', body = ''] = mails[0]!.split('\r\n\r\n').flatMap((part, i) => (i < 2 ? [part] : [`\n${part}`]));
    const rest = mails[0]!.slice(head.length + 4).replace(/\r\n\.\r\n$/, '');
    const encoding = /^Content-Transfer-Encoding: (\S+)/m.exec(head)?.[1];
    const text =
      encoding === 'base64'
        ? Buffer.from(rest, 'base64').toString()
        : Buffer.from(
            rest
              .replace(/=\r\n/g, '')
              .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
            'latin1',
          ).toString();
    return { head, text: encoding === '7bit' ? rest : text, body };
  };

  it.each([
    ['en', {}, /^App: Orders\r?$/m, /^Purpose: to sign in, to sign up or to set a new password\r?$/m],
    ['en', { usage: 'recovery' }, /^App: Orders\r?$/m, /^Purpose: to set a new password\r?$/m],
    ['en', { target: 'NOT_USER' }, /^App: Orders\r?$/m, /^Purpose: to sign up\r?$/m],
    ['zh-CN', { usage: 'email' }, /^应用：Orders\r?$/m, /^用途：登录或注册\r?$/m],
  ])('names the app and the purpose (%s, %j)', async (language, asked, app, purposeLine) => {
    await mailed({}, 'Orders', asked, language);
    const { head, text } = decoded();
    expect(head).toContain('To: ada@example.com');
    expect(text).toMatch(app);
    expect(text).toMatch(purposeLine);
  });

  itOnSqlite('is not made longer by the name of a client, nor sent to anybody else', async () => {
    await mailed({}, `Orders\r\nBcc: eve@example.com\r\n\r\n\u202eEvil ${'x'.repeat(200)}`, {});
    const { head, text } = decoded();
    expect(head).not.toMatch(/^Bcc/im);
    expect(head).not.toMatch(/eve@example\.com>?\r$/m);
    expect(text).toMatch(/^App: Orders Bcc: eve@example\.com Evil x{1,40}\r?$/m);
  });

  it('does not leave this machine unencrypted, whatever the query of the URL says (RFC 3207)', async () => {
    for (const query of ['', '?ignoreTLS=true', '?requireTLS=false']) {
      const service = await mailed(
        { smtpUrl: `smtp://0.0.0.0:${port}/${query}`, logVerificationCodes: false },
        'App',
        {},
      );
      expect(service.log).toContainEqual(expect.objectContaining({ msg: 'a verification code was not sent' }));
    }
    expect(mails).toEqual([]);
  });

  it('leaves it so where smtpPlaintext says so', async () => {
    await mailed({ smtpUrl: `smtp://0.0.0.0:${port}`, smtpPlaintext: true }, 'App', {});
    expect(mails).toHaveLength(1);
  });
});
