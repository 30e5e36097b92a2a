import { ClientService } from '../../src/core/clients/client.service.js';
import {
  type Answer,
  basic,
  expectDocumented,
  expectRefusal,
  form,
  FORM_TYPE,
  GOOD,
  invalid,
  JSON_TYPE,
  livesOn,
  startTarget,
  type Target,
  TOKEN,
} from './wire.js';

const CHALLENGE = 'Basic realm="auth", charset="UTF-8"';
const ODD_ID = 'odd:id +%&=~';
const GRANT = { grant_type: 'client_credentials' };

describe('hostile client authentication (RFC 6749 §2.3)', () => {
  let target: Target;
  let id: string;
  let secret: string;
  let oddSecret: string;

  beforeAll(async () => {
    target = await startTarget();
    ({ client_id: id, client_secret: secret } = target.confidential);
    const { secret: made } = await target.app
      .get(ClientService)
      .create(
        { id: ODD_ID, public: false, grant_types: ['client_credentials'], scopes: ['api'] },
        'an odd secret: 100% +&=/?~"\\ of its own kind',
      );
    oddSecret = made!;
    target.secrets.push(oddSecret);
  });
  livesOn(() => target);

  const send = (authorization: string | undefined, parameters: object = GRANT, path = TOKEN): Promise<Answer> =>
    target.send({
      path,
      headers: { 'content-type': JSON_TYPE, ...(authorization === undefined ? {} : { authorization }) },
      body: JSON.stringify(parameters),
    });
  const encode = (text: string) => Buffer.from(text).toString('base64');

  it('has a right way, in Basic and in the body, in any content type', async () => {
    expect(await send(basic(id, secret))).toMatchObject({ status: 200 });
    expect(await send(undefined, { ...GRANT, client_id: id, client_secret: secret })).toMatchObject({ status: 200 });
    const body = form({ ...GRANT, client_id: id, client_secret: secret });
    expect(await target.send({ headers: { 'content-type': FORM_TYPE }, body })).toMatchObject({ status: 200 });
    for (const scheme of ['basic', 'BASIC', 'bAsIc', 'Basic  ', 'Basic   ']) {
      expect(await send(basic(id, secret).replace('Basic', scheme))).toMatchObject({ status: 200 });
    }
    expect(await send(basic(id, secret).replace(/=+$/, ''))).toMatchObject({ status: 200 });
  });

  it('form-url-decodes id and secret in Basic, each by itself (RFC 6749 §2.3.1)', async () => {
    expect(await send(basic(ODD_ID, oddSecret))).toMatchObject({ status: 200 });
    const plus = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
    expect(await send(`Basic ${encode(`${plus(ODD_ID)}:${plus(oddSecret)}`)}`)).toMatchObject({ status: 200 });
    const all = (text: string) =>
      [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    expect(await send(`Basic ${encode(`${all(ODD_ID)}:${all(oddSecret)}`)}`)).toMatchObject({ status: 200 });
    // unencoded, a colon ends the id
    const answer = await send(`Basic ${encode(`odd:${oddSecret.replaceAll('%', '')}`)}`);
    expectRefusal(answer, { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' });
  });

  it.each([
    ['nothing', 'Basic'],
    ['spaces only', 'Basic    '],
    ['no colon', `Basic ${encode('backend')}`],
    ['an empty id', `Basic ${encode(':secret')}`],
    ['a colon only', `Basic ${encode(':')}`],
    ['characters that are not base64', 'Basic ****'],
    ['base64url', `Basic ${Buffer.from('a:\u00fb\u00ff\u00fe~~~', 'latin1').toString('base64url')}-_`],
    ['a space inside', `Basic ${encode('backend:x').slice(0, 4)} ${encode('backend:x').slice(4)}`],
    ['padding only', 'Basic =='],
    ['padding inside', 'Basic YTpi=YTpi'],
    ['too much padding', 'Basic YTpi==='],
    ['one character', 'Basic Y'],
    ['an auth-param', 'Basic realm="x"'],
    ['two credentials', `Basic ${encode('a:b')}, Basic ${encode('a:b')}`],
    ['a bad percent-encoding in the id', `Basic ${encode('back%end:x')}`],
    ['a bad percent-encoding in the secret', `Basic ${encode('backend:100%')}`],
    ['percent-encoded octets that are not UTF-8', `Basic ${encode('backend:%ff')}`],
    ['a percent-encoded lone surrogate', `Basic ${encode('backend:%ed%a0%80')}`],
  ])('refuses malformed Basic: %s', async (_, authorization) => {
    expectRefusal(await send(authorization), {
      ...invalid('BASIC_MALFORMED'),
      message: 'The Authorization header is malformed.',
    });
  });

  it.each([
    ['a NUL in the id', 'back%00end', 'x', 'client_id'],
    ['a raw NUL in the id', 'back\u0000end', 'x', 'client_id'],
    ['a newline in the id', 'backend%0a', 'x', 'client_id'],
    ['a letter beyond ASCII in the id', 'b%C3%A4ckend', 'x', 'client_id'],
    ['a NUL in the secret', 'backend', 'x%00', 'client_secret'],
    ['a letter beyond ASCII in the secret', 'backend', 'é', 'client_secret'],
  ])('refuses %s in Basic', async (_, who, what, field) => {
    expectRefusal(
      await send(`Basic ${encode(`${who}:${what}`)}`),
      invalid('PARAMETER_INVALID', field, 'must be printable ASCII'),
    );
  });

  it('refuses octets in Basic that are not UTF-8', async () => {
    const answer = await send(`Basic ${Buffer.from([0x61, 0xff, 0x3a, 0x62]).toString('base64')}`);
    expectDocumented(answer);
    expect(answer.body).toMatchObject({ error: 'invalid_argument' });
  });

  it.each([
    ['id', 'a'.repeat(129), 'x', 'client_id', 128],
    ['id', 'a'.repeat(5000), 'x', 'client_id', 128],
    ['secret', 'backend', 'x'.repeat(257), 'client_secret', 256],
    ['secret', 'backend', 'x'.repeat(9000), 'client_secret', 256],
  ])('refuses an over-long %s in Basic', async (_, who, what, field, max) => {
    expectRefusal(
      await send(basic(who, what)),
      invalid('PARAMETER_TOO_LONG', field, `must be at most ${max} characters`),
    );
  });

  it.each(['BasicYTpi', 'Basically x', 'Basic\tYTpi', 'xBasic YTpi', 'Token YTpi', 'Bearer YTpi'])(
    'reads no credentials out of %s',
    async (authorization) => {
      const answer = await send(authorization, { ...GRANT, client_id: id });
      expectDocumented(answer);
      expect([400, 401]).toContain(answer.status);
    },
  );

  it('ignores a Bearer header, whatever is in it', async () => {
    const { access_token } = await target.signIn();
    for (const token of [access_token!, 'stale', '', 'x'.repeat(10_000)]) {
      const answer = await send(`Bearer ${token}`, { ...GRANT, client_id: id, client_secret: secret });
      expect(answer).toMatchObject({ status: 200, body: { sub: id } });
      const wrong = await send(`Bearer ${token}`, { ...GRANT, client_id: id });
      expectRefusal(wrong, { error: 'unauthorized_client', reason: 'CLIENT_SECRET_MISSING' });
      expect(wrong.headers['www-authenticate']).toBeUndefined();
    }
  });

  describe('two ways at once', () => {
    const twice = invalid('CLIENT_AUTHENTICATION_REPEATED');

    it('is refused, the same secret or another, right or wrong', async () => {
      for (const client_secret of [secret, 'wrong']) {
        expectRefusal(await send(basic(id, secret), { ...GRANT, client_secret }), twice);
        expectRefusal(await send(basic(id, 'wrong'), { ...GRANT, client_id: id, client_secret }), twice);
        expectRefusal(await send(basic(id, ''), { ...GRANT, client_id: id, client_secret }), twice);
      }
    });

    it('is not what Basic with an empty client_secret in the body is', async () => {
      expect(await send(basic(id, secret), { ...GRANT, client_id: id, client_secret: '' })).toMatchObject({
        status: 200,
      });
    });
  });

  describe('several client ids', () => {
    it.each([
      ['Basic and body', true, { client_id: 'app' }, ''],
      ['Basic and query', true, {}, '?client_id=app'],
      ['body and query', false, { client_id: 'backend' }, '?client_id=app'],
      ['Basic, body and query', true, { client_id: 'backend' }, '?client_id=app'],
      ['Basic and an id in other case', true, { client_id: 'Backend' }, ''],
      ['Basic and an id with a space', true, { client_id: 'backend ' }, ''],
    ])('are refused where they differ: %s', async (_, withBasic, more, query) => {
      const answer = await send(withBasic ? basic(id, secret) : undefined, { ...GRANT, ...more }, TOKEN + query);
      expectRefusal(answer, invalid('CLIENT_ID_MISMATCH'));
      expect(answer.headers['www-authenticate']).toBeUndefined();
    });

    it('may be the same three times', async () => {
      const answer = await send(basic(id, secret), { ...GRANT, client_id: id }, `${TOKEN}?client_id=${id}`);
      expect(answer).toMatchObject({ status: 200 });
    });

    it('never let one client speak with the secret of another', async () => {
      const answer = await send(basic(ODD_ID, secret));
      expectRefusal(answer, { error: 'unauthorized_client', reason: 'CLIENT_SECRET_WRONG' });
    });
  });

  describe('who they are', () => {
    it.each([
      ['unknown', 'nobody'],
      ['in other case', 'BACKEND'],
      ['with a space', 'backend '],
      ['a prototype member', '__proto__'],
      ['another prototype member', 'constructor'],
      ['SQL', "' OR ''='"],
      ['a wildcard', '%'],
    ])('refuses a client that is %s', async (_, unknown) => {
      const expected = { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' } as const;
      for (const client_secret of [undefined, '', secret]) {
        const inBody = await send(undefined, { ...GRANT, client_id: unknown, client_secret });
        expectRefusal(inBody, expected);
        expect(inBody.headers['www-authenticate']).toBeUndefined();
      }
      const inBasic = await send(basic(unknown, secret));
      expectRefusal(inBasic, expected);
      expect(inBasic.headers['www-authenticate']).toBe(CHALLENGE);
    });

    it('refuses a disabled client, its secret right or wrong', async () => {
      const disabled = await target.client({ id: 'disabled', public: false });
      await target.app.get(ClientService).setDisabled('disabled', true);
      for (const client_secret of [disabled.client_secret!, 'wrong', '']) {
        const answer = await send(undefined, { ...GRANT, client_id: 'disabled', client_secret });
        expectRefusal(answer, { error: 'invalid_client', reason: 'CLIENT_DISABLED' });
      }
    });

    it('asks for a client where none is named, and grants nothing to nobody', async () => {
      for (const parameters of [GRANT, {}, { ...GOOD, client_id: '' }]) {
        expectRefusal(await send(undefined, parameters), invalid('CLIENT_ID_MISSING', 'client_id', 'is required'));
      }
    });

    it('does not take a secret without an id for anything', async () => {
      const answer = await send(undefined, { ...GRANT, client_secret: secret });
      expectRefusal(answer, invalid('CLIENT_ID_MISSING', 'client_id', 'is required'));
    });
  });

  describe('what they know', () => {
    it.each([
      ['wrong', (right: string) => `${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`],
      ['too short', (right: string) => right.slice(0, -1)],
      ['too long', (right: string) => `${right}A`],
      ['in other case', (right: string) => right.toUpperCase()],
      ['with a space', (right: string) => ` ${right}`],
      ['somebody else’s', () => 'an odd secret: 100% +&=/?~"\\ of its own kind'],
      ['the id', () => 'backend'],
    ])('refuses a secret that is %s', async (_, make) => {
      const expected = {
        error: 'unauthorized_client',
        reason: 'CLIENT_SECRET_WRONG',
        message: 'The client secret is wrong.',
      } as const;
      const wrong = make(secret);
      const inBody = await send(undefined, { ...GRANT, client_id: id, client_secret: wrong });
      expectRefusal(inBody, expected);
      expect(inBody.headers['www-authenticate']).toBeUndefined();
      const inBasic = await send(basic(id, wrong));
      expectRefusal(inBasic, expected);
      expect(inBasic.headers['www-authenticate']).toBe(CHALLENGE);
    });

    it.each([
      ['absent', {}],
      ['empty', { client_secret: '' }],
    ])('asks a confidential client for its secret where it is %s', async (_, more) => {
      const expected = { error: 'unauthorized_client', reason: 'CLIENT_SECRET_MISSING' } as const;
      for (const grant of [GRANT, { ...GOOD }, { grant_type: 'refresh_token', refresh_token: 'm.x' }]) {
        expectRefusal(await send(undefined, { ...grant, client_id: id, ...more }), expected);
      }
      const inBasic = await send(basic(id, ''), { ...GRANT, ...more });
      expectRefusal(inBasic, expected);
      expect(inBasic.headers['www-authenticate']).toBe(CHALLENGE);
    });

    it('refuses any secret of a public client, and takes an empty one for none', async () => {
      const expected = { error: 'unauthorized_client', reason: 'CLIENT_SECRET_WRONG' } as const;
      expectRefusal(await send(undefined, { ...GOOD, client_secret: 'x' }), expected);
      expectRefusal(await send(basic('app', 'x'), { ...GOOD, client_id: undefined }), expected);
      expect(await send(undefined, { ...GOOD, client_secret: '' })).toMatchObject({ status: 200 });
      expect(await send(basic('app', ''), { ...GOOD, client_id: undefined })).toMatchObject({ status: 200 });
    });

    it('refuses a secret that has expired, to the second, and goes on with its successor', async () => {
      const { client_id, client_secret: old } = await target.client({ id: 'rotating', public: false });
      const rotated = await target.app.get(ClientService).rotateSecret(client_id, 60);
      target.secrets.push(old!, rotated);
      const ask = (client_secret: string) => send(undefined, { ...GRANT, client_id, client_secret });
      expect(await ask(old!)).toMatchObject({ status: 200 });
      expect(await ask(rotated)).toMatchObject({ status: 200 });
      target.clock.advance(60);
      expectRefusal(await ask(old!), { error: 'unauthorized_client', reason: 'CLIENT_SECRET_WRONG' });
      expect(await ask(rotated)).toMatchObject({ status: 200 });
    });

    it('is not written to the log where it was sent in the place of the client_id, as by swapped settings', async () => {
      const swapped = 'a secret that only stands in the wrong place';
      target.secrets.push(swapped);
      expectRefusal(await send(basic(swapped, id)), { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' });
      const inBody = await send(undefined, { ...GRANT, client_id: swapped, client_secret: id });
      expectRefusal(inBody, { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' });
      expect(JSON.stringify(target.log)).not.toContain(swapped);
    });

    it('checks the client before it says anything about the grant', async () => {
      for (const grant of [{ grant_type: 'x' }, {}, { grant_type: 'refresh_token' }, { ...GOOD, password: 'wrong' }]) {
        const answer = await send(undefined, { ...grant, client_id: id, client_secret: 'wrong' });
        expectRefusal(answer, { error: 'unauthorized_client', reason: 'CLIENT_SECRET_WRONG' });
      }
    });
  });
});

describe('the default client', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget({ auth: { defaultClientId: 'app' } });
  });
  livesOn(() => target);

  it('is used where no client is named, empty names included', async () => {
    const nameless = { ...GOOD, client_id: undefined };
    expect(await target.post(nameless)).toMatchObject({ status: 200 });
    expect(await target.post({ ...nameless, client_id: '' })).toMatchObject({ status: 200 });
  });

  it('is not used where a client is named badly', async () => {
    expectRefusal(
      await target.post({ ...GOOD, client_id: ['app'] }),
      invalid('PARAMETER_INVALID', 'client_id', 'must be a string'),
    );
    expectRefusal(await target.post({ ...GOOD, client_id: 'x' }), {
      error: 'invalid_client',
      reason: 'CLIENT_UNKNOWN',
    });
    expectRefusal(await target.post(GOOD, { authorization: 'Basic x' }), invalid('BASIC_MALFORMED'));
  });
});
