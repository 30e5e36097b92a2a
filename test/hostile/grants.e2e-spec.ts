import { createHash, randomBytes } from 'node:crypto';
import { AuthorizationCodeService } from '../../src/core/codes/authorization-code.service.js';
import { Client } from '../../src/core/clients/client.entity.js';
import { ClientService } from '../../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../../src/core/devices/device-authorization.service.js';
import { UserService } from '../../src/core/users/user.service.js';
import {
  type Answer,
  expectDocumented,
  expectRefusal,
  GOOD,
  invalid,
  livesOn,
  PASSWORD,
  startTarget,
  type Target,
} from './wire.js';
import { MALFORMED_SCOPE } from '../fixtures.js';
import { CALLBACK as REDIRECT, CHALLENGE, VERIFIER } from '../visitor.js';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

/** One bit of a base64url string turned, at this character. */
const flipped = (text: string, at: number) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, at) + alphabet[alphabet.indexOf(text[at]!) ^ 1] + text.slice(at + 1);
};

describe('hostile grants', () => {
  let target: Target;
  let sub: string;

  beforeAll(async () => {
    target = await startTarget();
    sub = (await target.signIn())['sub']!;
  });
  livesOn(() => target);

  const backend = (more: object) => target.post({ ...target.confidential, ...more });
  const refresh = (refresh_token: string, more: object = {}, headers: Record<string, string> = {}) =>
    target.post({ client_id: 'app', grant_type: 'refresh_token', refresh_token, ...more }, headers);
  const lives = async (refresh_token: string) => {
    const answer = await refresh(refresh_token);
    expect(answer).toMatchObject({ status: 200 });
    return answer.body!['refresh_token'] as string;
  };

  describe('grant_type', () => {
    it.each([
      'x',
      'Password',
      'PASSWORD',
      'refresh-token',
      'implicit',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'password,refresh_token',
      'password refresh_token',
      `${DEVICE}/`,
    ])('is refused where it is %s', async (grant_type) => {
      expectRefusal(await target.post({ ...GOOD, grant_type }), {
        error: 'unsupported_grant_type',
        reason: 'GRANT_TYPE_UNSUPPORTED',
        message: 'This grant_type is not supported.',
      });
    });

    it('is required', async () => {
      expectRefusal(
        await target.post({ ...GOOD, grant_type: undefined }),
        invalid('PARAMETER_MISSING', 'grant_type', 'is required'),
      );
    });

    it.each(['password', 'refresh_token', 'authorization_code', DEVICE, 'device_code', 'client_credentials'])(
      'is refused where the client may not use %s, whatever else is sent (403)',
      async (grant_type) => {
        if (grant_type === 'password') await target.client({ id: 'nothing', public: false, grant_types: [] });
        const found = (await target.app.get(ClientService).load('nothing'))!;
        expect(found.client.grant_types).toEqual([]);
        const secret = await target.app.get(ClientService).rotateSecret('nothing', 0);
        target.secrets.push(secret);
        for (const more of [{}, GOOD, { refresh_token: 'm.x', code: 'x', device_code: 'x', scope: ['x'] }]) {
          const answer = await target.post({ ...more, client_id: 'nothing', client_secret: secret, grant_type });
          expectRefusal(answer, { error: 'permission_denied', reason: 'GRANT_TYPE_NOT_ALLOWED' });
        }
      },
    );
  });

  describe('client_credentials (RFC 6749 §4.4)', () => {
    const ask = (more: object = {}) => backend({ grant_type: 'client_credentials', ...more });

    it('is for no public client, though its row may say so', async () => {
      await target.client({ id: 'would-be', grant_types: ['client_credentials'] });
      const answer = await target.post({ client_id: 'would-be', grant_type: 'client_credentials' });
      expectRefusal(answer, { error: 'permission_denied', reason: 'CLIENT_PUBLIC' });
    });

    it('signs nobody in, whatever user is named', async () => {
      const { body } = await ask({
        username: GOOD.username,
        password: PASSWORD,
        scope: 'openid api',
        sub,
        groups: 'staff',
      });
      expect(body).toEqual({
        token_type: 'Bearer',
        access_token: expect.any(String),
        expires_in: 7200,
        scope: 'api',
        sub: 'backend',
        groups: [],
        need_weda_resource: false,
      });
    });
  });

  describe('scope (RFC 6749 §3.3)', () => {
    const MALFORMED = [
      'openid  profile',
      ' openid',
      'openid ',
      ' ',
      'openid\tprofile',
      'openid\nprofile',
      'open"id',
      'open\\id',
      'openid\u00a0profile',
      'öpenid',
      'openid\u0000',
      '😀',
    ];
    const UNKNOWN = [
      'admin',
      'openid admin',
      'OPENID',
      'openid,profile',
      '*',
      'openid profile api',
      '__proto__',
      'constructor',
      'open',
      'openid+profile',
      'openid%20profile',
      "' OR 1=1",
    ];
    it.each(MALFORMED)('is refused where it is malformed: %j', async (scope) => {
      const { refresh_token } = await target.signIn();
      expectRefusal(await target.post({ ...GOOD, scope }), MALFORMED_SCOPE);
      expectRefusal(await refresh(refresh_token!, { scope }), MALFORMED_SCOPE);
      expectRefusal(await backend({ grant_type: 'client_credentials', scope }), MALFORMED_SCOPE);
      await lives(refresh_token!);
    });

    it.each(UNKNOWN)('is refused where it is unknown, and uses nothing up: %j', async (scope) => {
      const { refresh_token } = await target.signIn();
      expectRefusal(await target.post({ ...GOOD, scope }), { error: 'invalid_scope', reason: 'SCOPE_NOT_ALLOWED' });
      expectRefusal(await refresh(refresh_token!, { scope }), { error: 'invalid_scope', reason: 'SCOPE_WIDENED' });
      await lives(refresh_token!);
    });

    it('is never widened by a refresh, and may narrow for one token (RFC 6749 §6)', async () => {
      let { refresh_token: token } = await target.signIn({ scope: 'profile' });
      for (const scope of ['openid', 'profile openid', 'email', 'profile email']) {
        expectRefusal(await refresh(token!, { scope }), { error: 'invalid_scope', reason: 'SCOPE_WIDENED' });
      }
      const answer = await refresh(token!);
      expect(answer.body).toMatchObject({ scope: 'profile' });
      expect(answer.body).not.toHaveProperty('id_token');
      token = (await target.signIn())['refresh_token'];
      const narrowed = await refresh(token!, { scope: 'profile' });
      expect(narrowed.body).toMatchObject({ scope: 'profile' });
      const widened = await refresh(narrowed.body!['refresh_token'] as string);
      expect(widened.body).toMatchObject({ scope: 'openid profile' });
    });

    it('is granted once where it is asked for twice', async () => {
      const scope = 'profile openid profile openid openid';
      const signedIn = await target.signIn({ scope });
      expect(signedIn['scope']).toBe('profile openid');
      expect((await refresh(signedIn['refresh_token']!, { scope })).body).toMatchObject({ scope: 'profile openid' });
    });

    it('is what a code or device code was granted, whatever its redemption asks for', async () => {
      const code = await issue();
      const redeemed = await redeem(code, { scope: 'openid profile email admin' });
      expect(redeemed.body).toMatchObject({ scope: 'openid profile' });
      const device = await start();
      await target.app.get(DeviceAuthorizationService).approve(device.user_code, sub);
      const { body } = await poll(device.device_code, { scope: 'openid profile email admin' });
      expect(body).toMatchObject({ scope: 'openid profile' });
    });
  });

  const issue = async (more: object = {}) => {
    const code = await target.app.get(AuthorizationCodeService).issue({
      clientId: 'app',
      sub,
      redirectUri: REDIRECT,
      codeChallenge: CHALLENGE,
      codeChallengeMethod: 'S256',
      ...more,
    });
    target.secrets.push(code);
    return code;
  };
  const redeem = (code: string, more: object = {}) =>
    target.post({
      client_id: 'app',
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
      ...more,
    });

  describe('authorization_code (RFC 6749 §4.1.3, RFC 7636)', () => {
    it.each([
      ['unknown', 'x'.repeat(43)],
      ['one character', 'x'],
      ['full of controls', '\u0000\u0001\u001f'],
      ['no ASCII', '授权码'],
      ['SQL', "' OR 1=1 --"],
    ])('refuses a code that is %s', async (_, code) => {
      expectRefusal(await redeem(code), { error: 'invalid_grant', reason: 'CODE_INVALID' });
    });

    it('refuses every code that is almost right, and uses nothing up', async () => {
      const code = await issue();
      const wrong = [...code].map((_, i) => flipped(code, i));
      wrong.push(code.slice(0, -1), `${code}=`, `${code}A`, ` ${code}`, `${code}\n`, code.toLowerCase());
      for (const almost of wrong) {
        expectRefusal(await redeem(almost), { error: 'invalid_grant', reason: 'CODE_INVALID' });
      }
      expect(await redeem(code)).toMatchObject({ status: 200 });
    });

    it('refuses a code to another client, with the same words as an unknown one, and keeps it for its own', async () => {
      const code = await issue();
      expectRefusal(await redeem(code, { client_id: 'other' }), { error: 'invalid_grant', reason: 'CODE_INVALID' });
      expectRefusal(
        await backend({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }),
        {
          error: 'invalid_grant',
          reason: 'CODE_INVALID',
        },
      );
      expect(await redeem(code)).toMatchObject({ status: 200 });
    });

    it.each([
      ['left out', undefined],
      ['empty', ''],
      ['another', 'https://evil.example/'],
      ['with a slash more', `${REDIRECT}/`],
      ['with a query', `${REDIRECT}?a=b`],
      ['with a fragment', `${REDIRECT}#a`],
      ['in other case', REDIRECT.toUpperCase()],
      ['with its default port', 'https://app.example.com:443/callback'],
      ['percent-encoded', 'https://app.example.com/%63allback'],
      ['with a dot segment', 'https://app.example.com/./callback'],
      ['with a space', `${REDIRECT} `],
      ['with a user', 'https://app.example.com@evil.example/callback'],
      ['two in one', `${REDIRECT} https://evil.example/`],
    ])('refuses a redirect_uri that is %s, and keeps the code', async (_, redirect_uri) => {
      const code = await issue();
      expectRefusal(await redeem(code, { redirect_uri }), { error: 'invalid_grant', reason: 'REDIRECT_URI_MISMATCH' });
      expect(await redeem(code)).toMatchObject({ status: 200 });
    });

    it.each([
      ['left out (downgrade)', undefined],
      ['empty (downgrade)', ''],
      ['the challenge itself (plain)', CHALLENGE],
      ['in other case', VERIFIER.toLowerCase()],
      ['another', 'x'.repeat(43)],
      ['longer', `${VERIFIER}x`],
    ])('refuses a verifier that is %s, and keeps the code', async (_, code_verifier) => {
      const code = await issue();
      const expected = { error: 'invalid_grant', reason: 'CODE_VERIFIER_MISMATCH' } as const;
      expectRefusal(await redeem(code, { code_verifier, code_challenge_method: 'plain' }), expected);
      expect(await redeem(code)).toMatchObject({ status: 200 });
    });

    it.each([
      ['42 characters', 'x'.repeat(42)],
      ['a space', `${VERIFIER} `],
      ['padding', `${VERIFIER}=`],
      ['a plus', VERIFIER.replace('-', '+')],
      ['a newline', `${VERIFIER}\n`],
      ['a letter beyond ASCII', `${VERIFIER}é`],
      ['a NUL', `${VERIFIER}\u0000`],
    ])('refuses a malformed verifier: %s (RFC 7636 §4.1)', async (_, code_verifier) => {
      expectRefusal(await redeem(await issue(), { code_verifier }), {
        ...invalid('PARAMETER_INVALID', 'code_verifier', 'must be 43 to 128 unreserved characters'),
      });
    });

    it('refuses a verifier where there was no challenge (RFC 9700 §4.8.2)', async () => {
      const code = await issue({ clientId: 'backend', codeChallenge: undefined, codeChallengeMethod: undefined });
      const ask = (more: object) =>
        backend({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, ...more });
      expectRefusal(await ask({ code_verifier: VERIFIER }), {
        error: 'invalid_grant',
        reason: 'CODE_VERIFIER_MISMATCH',
      });
      expect(await ask({})).toMatchObject({ status: 200 });
    });

    it('honours a challenge of a confidential client too', async () => {
      const code = await issue({ clientId: 'backend' });
      const ask = (more: object) =>
        backend({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, ...more });
      expectRefusal(await ask({}), { error: 'invalid_grant', reason: 'CODE_VERIFIER_MISMATCH' });
      expect(await ask({ code_verifier: VERIFIER })).toMatchObject({ status: 200 });
    });

    it.each([
      ['no challenge for a public client', { codeChallenge: undefined }],
      ['plain', { codeChallengeMethod: 'plain' }],
      ['an unknown method', { codeChallengeMethod: 's256' }],
      ['an empty challenge', { codeChallenge: '' }],
      ['a challenge that is no SHA-256', { codeChallenge: 'x' }],
    ])('never issues a code with %s', async (_, more) => {
      await expect(issue(more)).rejects.toMatchObject({ code: 'invalid_argument' });
    });

    it('refuses a code that has expired, to the second', async () => {
      const code = await issue();
      target.clock.advance(60);
      expectRefusal(await redeem(code), { error: 'invalid_grant', reason: 'CODE_EXPIRED' });
    });

    it('revokes on a replay what the first redemption issued (RFC 6749 §4.1.2)', async () => {
      const code = await issue();
      const { body } = await redeem(code);
      const next = await lives(body!['refresh_token'] as string);
      expectRefusal(await redeem(code), { error: 'invalid_grant', reason: 'CODE_REUSED' });
      expectRefusal(await refresh(next), { error: 'invalid_grant', reason: 'CODE_REUSED' });
      expectRefusal(await redeem(code), { error: 'invalid_grant', reason: 'CODE_REUSED' });
    });

    it('still revokes where the replay comes after the code has expired', async () => {
      const code = await issue();
      const { body } = await redeem(code);
      target.clock.advance(120);
      expectRefusal(await redeem(code), { error: 'invalid_grant', reason: 'CODE_REUSED' });
      expectRefusal(await refresh(body!['refresh_token'] as string), {
        error: 'invalid_grant',
        reason: 'CODE_REUSED',
      });
    });

    it('revokes nothing for who replays a code without what belongs to it', async () => {
      const code = await issue();
      const { body } = await redeem(code);
      for (const wrong of [
        { client_id: 'other' },
        { code_verifier: undefined },
        { code_verifier: 'x'.repeat(43) },
        { redirect_uri: 'https://evil.example/' },
      ]) {
        expect(await redeem(code, wrong)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      }
      await lives(body!['refresh_token'] as string);
    });

    it('answers a parallel replay once at most', async () => {
      const code = await issue();
      const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(code)));
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expectRefusal(answer, { error: 'invalid_grant', reason: 'CODE_REUSED' });
      }
    });
  });

  const start = async (clientId = 'app') => {
    const { client } = (await target.app.get(ClientService).find(clientId))!;
    expect(client).toBeInstanceOf(Client);
    const device = await target.app.get(DeviceAuthorizationService).start(client);
    target.secrets.push(device.device_code, device.user_code);
    return device;
  };
  const poll = (device_code: string, more: object = {}) =>
    target.post({ client_id: 'app', grant_type: DEVICE, device_code, ...more });

  describe('device_code (RFC 8628 §3.5)', () => {
    const INVALID = { error: 'invalid_grant', reason: 'DEVICE_CODE_INVALID' } as const;

    it.each(['x', 'x'.repeat(43), '\u0000', '设备码', "' OR 1=1 --"])('refuses the unknown code %j', async (code) => {
      expectRefusal(await poll(code), INVALID);
    });

    it('refuses every code that is almost right, and the user code', async () => {
      const { device_code, user_code } = await start();
      await target.app.get(DeviceAuthorizationService).approve(user_code, sub);
      for (const almost of [
        ...[...device_code].map((_, i) => flipped(device_code, i)),
        `${device_code}A`,
        device_code.slice(1),
        user_code,
      ]) {
        expectRefusal(await poll(almost), INVALID);
      }
      expect(await poll(device_code)).toMatchObject({ status: 200 });
    });

    it('tells a client that polls too fast to slow down, more each time, in both spellings', async () => {
      const { device_code } = await start();
      const pending = { error: 'authorization_pending', reason: 'AUTHORIZATION_PENDING' } as const;
      const tooFast = { error: 'slow_down', reason: 'POLLING_TOO_FAST' } as const;
      expectRefusal(await poll(device_code), { ...pending, retryAfter: 3 });
      expectRefusal(await poll(device_code), { ...tooFast, retryAfter: 8 });
      expectRefusal(await poll(device_code, { grant_type: 'device_code' }), { ...tooFast, retryAfter: 13 });
      target.clock.advance(12);
      expectRefusal(await poll(device_code), { ...tooFast, retryAfter: 18 });
      target.clock.advance(18);
      expectRefusal(await poll(device_code), { ...pending, retryAfter: 18 });
    });

    it('gives nothing to another client, though the user has approved, and keeps the code for its own', async () => {
      const { device_code, user_code } = await start();
      await target.app.get(DeviceAuthorizationService).approve(user_code, sub);
      expectRefusal(await poll(device_code, { client_id: 'other' }), INVALID);
      expectRefusal(await backend({ grant_type: DEVICE, device_code }), INVALID);
      expect(await poll(device_code)).toMatchObject({ status: 200 });
      expectRefusal(await poll(device_code), INVALID);
    });

    it('does not let another client slow down the right one', async () => {
      const { device_code } = await start();
      for (let i = 0; i < 3; i++) expectRefusal(await poll(device_code, { client_id: 'other' }), INVALID);
      expect(await poll(device_code)).toMatchObject({ body: { error: 'authorization_pending' } });
    });

    it('gives one set of tokens to parallel polls', async () => {
      const { device_code, user_code } = await start();
      await target.app.get(DeviceAuthorizationService).approve(user_code, sub);
      const answers = await Promise.all(Array.from({ length: 10 }, () => poll(device_code)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) expectRefusal(answer, INVALID);
    });

    it('gives nothing once it has expired or was denied', async () => {
      const late = await start();
      await target.app.get(DeviceAuthorizationService).approve(late.user_code, sub);
      target.clock.advance(600);
      expectRefusal(await poll(late.device_code), { error: 'expired_token', reason: 'DEVICE_CODE_EXPIRED' });
      const denied = await start();
      await target.app.get(DeviceAuthorizationService).deny(denied.user_code);
      expectRefusal(await poll(denied.device_code), { error: 'access_denied', reason: 'ACCESS_DENIED' });
      await target.app.get(DeviceAuthorizationService).approve(denied.user_code, sub);
      expectRefusal(await poll(denied.device_code), { error: 'access_denied', reason: 'ACCESS_DENIED' });
    });
  });

  describe('a token of one kind used as another', () => {
    it('is refused everywhere, and uses nothing up', async () => {
      const tokens = await target.signIn();
      const code = await issue();
      const { device_code, user_code } = await start();
      const client = await backend({ grant_type: 'client_credentials' });
      const kinds: Record<string, string> = {
        access_token: tokens['access_token']!,
        id_token: tokens['id_token']!,
        client_access_token: client.body!['access_token'] as string,
        refresh_token: tokens['refresh_token']!,
        code,
        device_code,
        user_code,
        password: PASSWORD,
        client_secret: target.confidential.client_secret,
      };
      for (const [kind, value] of Object.entries(kinds)) {
        const wrong: Answer[] = [];
        if (kind !== 'refresh_token') wrong.push(await refresh(value), await refresh(`m.${value}`));
        if (kind !== 'code') wrong.push(await redeem(value));
        if (kind !== 'device_code') wrong.push(await poll(value));
        for (const answer of wrong) {
          expectDocumented(answer);
          expect(answer.status).toBe(400);
          // a JWT is too long to be one of ours, and is told so before any query
          expect(['invalid_grant', 'invalid_argument']).toContain(answer.body!['error']);
        }
        if (kind !== 'password') {
          const answer = await target.post({ ...GOOD, password: value });
          expectRefusal(answer, invalid('WRONG_USERNAME_OR_PASSWORD'));
        }
        const authenticated = await backend({ grant_type: 'client_credentials', client_secret: value });
        expect(authenticated.status).toBe(kind === 'client_secret' ? 200 : value.length > 256 ? 400 : 401);
      }
      await lives(tokens['refresh_token']!);
      expect(await redeem(code)).toMatchObject({ status: 200 });
      await target.app.get(DeviceAuthorizationService).approve(user_code, sub);
      expect(await poll(device_code)).toMatchObject({ status: 200 });
    });
  });

  describe('refresh_token (RFC 6749 §6)', () => {
    const INVALID = { error: 'invalid_grant', reason: 'REFRESH_TOKEN_INVALID' } as const;
    let token: string;

    beforeEach(async () => {
      token = (await target.signIn())['refresh_token']!;
    });
    afterEach(async () => {
      await lives(token); // nothing below costs the session
    });

    it('refuses a token with one bit flipped, at every byte and in every bit of the generation', async () => {
      const bytes = Buffer.from(token.slice(2), 'base64url');
      const bits = Array.from({ length: bytes.length }, (_, i) => i * 8 + (i % 8));
      for (let bit = 16 * 8; bit < 20 * 8; bit++) bits.push(bit);
      for (const bit of bits) {
        const forged = Buffer.from(bytes);
        forged[bit >> 3]! ^= 1 << (bit & 7);
        expectRefusal(await refresh(`m.${forged.toString('base64url')}`), INVALID);
      }
    });

    it('refuses a token cut at any length', async () => {
      for (let length = 1; length < token.length; length++) {
        expectRefusal(await refresh(token.slice(0, length)), INVALID);
      }
    });

    it('refuses every other spelling of a token', async () => {
      const bytes = Buffer.from(token.slice(2), 'base64url');
      expect(bytes).toHaveLength(52);
      const body = token.slice(2);
      const spellings = [
        `m.${bytes.toString('base64')}`,
        `m.${body}=`,
        `m.${body}==`,
        `m.${body.slice(0, -1)}${flipped(body.slice(-1), 0)}`,
        `m.${body}A`,
        `m.A${body}`,
        `m.${body.slice(0, 10)} ${body.slice(10)}`,
        `m.${body.slice(0, 10)}\n${body.slice(10)}`,
        `m.${body.slice(0, 10)}.${body.slice(10)}`,
        `M.${body}`,
        `n.${body}`,
        `m${body}`,
        body,
        ` ${token}`,
        `${token} `,
        `${token}\n`,
        `${token}\u0000`,
        `m.${token}`,
        `${token}${token}`,
        `m.${bytes.toString('hex')}`,
        `Bearer ${token}`,
        `m.${body.toLowerCase()}`,
        `m.${body.toUpperCase()}`,
        [...token].map((c) => String.fromCodePoint(c.codePointAt(0)! + 0xfee0)).join(''), // full width
      ];
      for (const spelling of spellings.filter((other) => other !== token)) {
        expectRefusal(await refresh(spelling), INVALID);
      }
    });

    it('refuses a token that only looks like one of ours', async () => {
      const other = (await target.signIn())['refresh_token']!;
      const [ours, theirs] = [token, other].map((text) => Buffer.from(text.slice(2), 'base64url'));
      const forged = [
        randomBytes(52),
        Buffer.alloc(52),
        Buffer.alloc(52, 0xff),
        Buffer.concat([ours!.subarray(0, 20), theirs!.subarray(20)]), // the MAC of another session
        Buffer.concat([theirs!.subarray(0, 16), ours!.subarray(16)]),
        Buffer.concat([ours!.subarray(0, 20), createHash('sha256').update(ours!.subarray(0, 20)).digest()]),
      ];
      for (const bytes of forged) expectRefusal(await refresh(`m.${bytes.toString('base64url')}`), INVALID);
    });

    it('refuses a token to any other client, and the session lives on', async () => {
      expectRefusal(await refresh(token, { client_id: 'other' }), INVALID);
      expectRefusal(await backend({ grant_type: 'refresh_token', refresh_token: token }), INVALID);
      expectRefusal(await refresh(token, { client_id: 'other', scope: 'profile' }), INVALID);
      expectRefusal(await refresh(token, { client_id: 'other', scope: 'admin' }), INVALID);
    });

    it('refuses a token of a replaced generation to another client without ending the session', async () => {
      const old = token;
      token = await lives(token);
      token = await lives(token);
      expectRefusal(await refresh(old, { client_id: 'other' }), INVALID);
      expectRefusal(await backend({ grant_type: 'refresh_token', refresh_token: old }), INVALID);
    });

    it('refuses a token in any place but its own', async () => {
      const places = [
        { grant_type: 'refresh_token', access_token: token },
        { grant_type: 'refresh_token', token },
        { grant_type: 'refresh_token', 'refresh_token ': token },
        { grant_type: 'refresh_token', refreshToken: token },
      ];
      for (const place of places) {
        const answer = await target.post({ client_id: 'app', ...place });
        expectRefusal(answer, invalid('PARAMETER_MISSING', 'refresh_token', 'is required'));
      }
    });
  });

  describe('a stolen refresh token', () => {
    it.each([
      ['a device where there was none', {}, { 'x-device-id': 'thief' }],
      ['another device', { 'x-device-id': 'mine' }, { 'x-device-id': 'thief' }],
      ['no device', { 'x-device-id': 'mine' }, {}],
      ['a device whose name differs in case', { 'x-device-id': 'mine' }, { 'x-device-id': 'MINE' }],
    ])('ends the session where %s replays it, within the window too', async (_, mine, thief) => {
      const { refresh_token } = await target.signIn({}, mine);
      const next = await refresh(refresh_token!, {}, mine);
      expect(next.status).toBe(200);
      expectRefusal(await refresh(refresh_token!, {}, thief), {
        error: 'invalid_grant',
        reason: 'REFRESH_TOKEN_REUSED',
      });
      expectRefusal(await refresh(next.body!['refresh_token'] as string, {}, mine), {
        error: 'invalid_grant',
        reason: 'REFRESH_TOKEN_REUSED',
      });
    });

    it('ends the session where it is older than the last, on the same device and within the window too', async () => {
      const mine = { 'x-device-id': 'mine' };
      const { refresh_token: first } = await target.signIn({}, mine);
      const second = (await refresh(first!, {}, mine)).body!['refresh_token'] as string;
      const third = (await refresh(second, {}, mine)).body!['refresh_token'] as string;
      expectRefusal(await refresh(first!, {}, mine), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
      for (const token of [first!, second, third]) {
        expectRefusal(await refresh(token, {}, mine), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
      }
    });

    it('is worth nothing after the session has expired', async () => {
      const { refresh_token } = await target.signIn();
      target.clock.advance(2_678_400);
      expectRefusal(await refresh(refresh_token!), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_EXPIRED' });
    });

    it('is worth nothing after the user was disabled, and neither are codes', async () => {
      const id = await target.user('mallory', 'a password of hers');
      const { refresh_token } = await target.signIn({ username: 'mallory', password: 'a password of hers' });
      const code = await issue({ sub: id });
      const { device_code, user_code } = await start();
      await target.app.get(DeviceAuthorizationService).approve(user_code, id);
      await target.app.get(UserService).setDisabled(id, true);
      expectRefusal(await refresh(refresh_token!), { error: 'invalid_grant', reason: 'USER_DISABLED' });
      expectRefusal(await redeem(code), { error: 'permission_denied', reason: 'USER_DISABLED' });
      expectRefusal(await poll(device_code), { error: 'permission_denied', reason: 'USER_DISABLED' });
    });
  });
});
