import type { OutgoingHttpHeaders } from 'node:http';
import { AuthorizationCodeService } from '../../src/core/codes/authorization-code.service.js';
import { ClientService } from '../../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../../src/core/devices/device-authorization.service.js';
import {
  basic,
  expectDocumented,
  form,
  FORM_TYPE,
  GOOD,
  JSON_TYPE,
  livesOn,
  PASSWORD,
  startTarget,
  type Target,
  TOKEN,
  USERNAME,
} from './wire.js';

const REQUESTS = 3000;
const SEED = 20260730;

/** mulberry32: the same numbers for the same seed. */
function random(seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe(`${REQUESTS} random requests (seed ${SEED})`, () => {
  let target: Target;
  const next = random(SEED);
  const chance = (p: number) => next() < p;
  const upTo = (n: number) => Math.floor(next() * n);
  const pick = <T>(values: readonly T[]): T => values[upTo(values.length)]!;
  /** What earlier answers gave, to be used again, elsewhere or broken. */
  const loot: string[] = ['m.x'];

  beforeAll(async () => {
    target = await startTarget({
      auth: {
        limitIp: { requests: 200, seconds: 20 },
        limitClient: { requests: 150, seconds: 20 },
        limitAccount: { requests: 20, seconds: 20 },
      },
    });
    const sub = (await target.signIn())['sub']!;
    const { client } = (await target.app.get(ClientService).find('app'))!;
    for (let i = 0; i < 20; i++) {
      const redirectUri = 'https://app.example.com/callback';
      loot.push(
        await target.app
          .get(AuthorizationCodeService)
          .issue({ clientId: 'app', sub, redirectUri, codeChallenge: 'x'.repeat(43) }),
      );
      const device = await target.app.get(DeviceAuthorizationService).start(client);
      if (i % 2) await target.app.get(DeviceAuthorizationService).approve(device.user_code, sub);
      loot.push(device.device_code, device.user_code);
    }
  });
  afterEach(() => target.clock.advance(3600));
  livesOn(() => target);

  const NAMES = [
    'client_id',
    'client_secret',
    'grant_type',
    'code',
    'redirect_uri',
    'code_verifier',
    'refresh_token',
    'username',
    'password',
    'device_code',
    'scope',
    'nonce',
  ];
  const ODD_NAMES = [
    '__proto__',
    'constructor',
    'toString',
    '',
    ' ',
    '\u0000',
    'client_id ',
    'GRANT_TYPE',
    'grant_type[]',
    'é',
    '0',
    'length',
  ];
  const GRANTS = [
    'password',
    'refresh_token',
    'refresh_token',
    'authorization_code',
    'device_code',
    'urn:ietf:params:oauth:grant-type:device_code',
    'client_credentials',
    'implicit',
    'lotto',
  ];
  const ODD: unknown[] = [
    null,
    true,
    false,
    0,
    -1,
    1e308,
    [],
    {},
    [['x']],
    { a: { b: [] } },
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e',
    '😀',
    'é',
    'x'.repeat(129),
    'x'.repeat(3000),
    '%',
    '%zz',
    '%00',
    "'",
    '"',
    '\\',
    '\r\nx: y',
    '${x}',
    '*',
    '-',
    '.',
    'm.',
    'null',
    'undefined',
    'NaN',
    '[object Object]',
  ];

  const broken = (text: string): string => {
    const at = upTo(text.length);
    switch (upTo(6)) {
      case 0:
        return text.slice(0, at);
      case 1:
        return text.slice(0, at) + String.fromCharCode(upTo(0x250)) + text.slice(at + 1);
      case 2:
        return text.slice(0, at) + text.slice(at).repeat(1 + upTo(3));
      case 3:
        return text.toUpperCase();
      case 4:
        return (
          text.slice(0, at) +
          pick(['\u0000', '"', ':', ',', '&', '=', '%', '{', '}', '[', ']', '\\', '\n']) +
          text.slice(at)
        );
      default:
        return [...text].reverse().join('');
    }
  };

  const right = (name: string): unknown => {
    const { client_id, client_secret } = target.confidential;
    switch (name) {
      case 'client_id':
        return pick(['app', 'app', 'app', 'other', client_id, 'nobody']);
      case 'client_secret':
        return client_secret;
      case 'grant_type':
        return pick(GRANTS);
      case 'redirect_uri':
        return 'https://app.example.com/callback';
      case 'code_verifier':
        return 'x'.repeat(43);
      case 'username':
        return pick([USERNAME, 'nobody', USERNAME.toUpperCase(), `user-${upTo(50)}`]);
      case 'password':
        return chance(0.3) ? PASSWORD : 'wrong';
      case 'scope':
        return pick(['openid', 'profile', 'openid profile', 'admin', 'openid openid', 'api']);
      case 'nonce':
        return 'n';
      default:
        return pick(loot);
    }
  };
  const value = (name: string): unknown => {
    if (chance(0.85)) return right(name);
    if (chance(0.5)) return pick(ODD);
    return chance(0.5) ? broken(String(right(name))) : pick(loot);
  };

  const parameters = (): [string, unknown][] => {
    const sent: [string, unknown][] = [];
    for (const name of NAMES) {
      const likely = [
        'client_id',
        'grant_type',
        'refresh_token',
        'username',
        'password',
        'code',
        'device_code',
      ].includes(name);
      if (chance(likely ? 0.8 : 0.15)) sent.push([name, value(name)]);
    }
    if (chance(0.1)) sent.push([pick([...NAMES, ...ODD_NAMES]), pick(ODD)]);
    if (chance(0.05)) sent.push(pick(sent.length > 0 ? sent : [['x', 'y'] as [string, unknown]]));
    return sent;
  };

  const json = (sent: [string, unknown][]) =>
    `{${sent.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`;
  const text = (v: unknown) => (typeof v === 'string' ? v : JSON.stringify(v));
  const printable = (s: string) => s.replace(/[^\x20-\x7e]/g, '?').slice(0, 2000);

  const request = () => {
    const isForm = chance(0.3);
    const sent = parameters();
    let body: string | Buffer = isForm ? form(sent.map(([k, v]): [string, string] => [k, text(v)])) : json(sent);
    if (chance(0.05) && body.length > 0) body = broken(body);
    if (chance(0.03)) {
      const bytes = Buffer.from(body);
      for (let i = upTo(5); i >= 0 && bytes.length > 0; i--) bytes[upTo(bytes.length)] = upTo(256);
      body = bytes;
    }
    const headers: OutgoingHttpHeaders = {
      'content-type': isForm ? FORM_TYPE : pick([JSON_TYPE, JSON_TYPE, 'text/plain']),
    };
    if (chance(0.05))
      headers['content-type'] = pick([
        'application/xml',
        '',
        'x',
        'application/json; charset=latin1',
        FORM_TYPE,
        'text/plain; charset="UTF-8"',
      ]);
    if (chance(0.03)) headers['content-encoding'] = pick(['gzip', 'identity', 'br', '']);
    if (chance(0.15)) {
      const id = String(right('client_id'));
      headers['authorization'] = pick([
        basic(id, target.confidential.client_secret),
        basic(id, ''),
        'Bearer x',
        `Basic ${printable(broken('YmFja2VuZDp4'))}`,
        printable(broken(basic(id, 'x'))),
      ]);
    }
    if (chance(0.1)) headers['x-device-id'] = pick(['a', 'b', '', 'é', 'x'.repeat(200)]);
    if (chance(0.1)) headers['x-request-id'] = pick(['a', '', 'a b', '<>', 'x'.repeat(65)]);
    if (chance(0.1)) headers['accept-language'] = pick(['zh-CN', '*', 'en', ';q=', 'zh;q=0', 'x'.repeat(500)]);
    if (chance(0.1)) headers['x-forwarded-for'] = pick(['10.0.0.1', 'x', '::1, ::2']);
    const path = chance(0.9)
      ? TOKEN
      : `${TOKEN}?${pick(['client_id=app', 'client_id=other', 'client_id=a&client_id=b', 'client_id[]=x', 'client_id=%ff', '%', 'grant_type=password'])}`;
    const method = chance(0.98) ? 'POST' : pick(['PUT', 'DELETE', 'OPTIONS', 'PATCH']);
    const pieces = chance(0.05) ? [body] : body;
    return { method, path, headers, body: pieces };
  };

  it('are each answered from the table, and no status but the documented ones is seen', async () => {
    const seen = new Map<string, number>();
    for (let n = 0; n < REQUESTS; n += 4) {
      const batch = Array.from({ length: 4 }, request);
      const answers = await Promise.all(batch.map((sent) => target.send(sent)));
      answers.forEach((answer, i) => {
        try {
          expectDocumented(answer);
          expect([200, 400, 401, 403, 405, 413, 415, 429, 503]).toContain(answer.status);
        } catch (error) {
          throw new Error(`request ${n + i}: ${JSON.stringify(batch[i])} → ${answer.status} ${answer.text}`, {
            cause: error,
          });
        }
        for (const name of ['refresh_token', 'access_token', 'id_token']) {
          const token = answer.body?.[name];
          if (typeof token === 'string') loot.splice(name === 'refresh_token' ? 0 : loot.length, 0, token);
        }
        loot.splice(60);
        const outcome = `${answer.status} ${(answer.body?.['error'] as string | undefined) ?? 'ok'}`;
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      });
      target.clock.advance(upTo(2));
    }
    // it reached what it was meant to reach
    for (const outcome of [
      '200 ok',
      '400 invalid_argument',
      '400 invalid_grant',
      '400 invalid_scope',
      '400 unsupported_grant_type',
      '401 invalid_client',
      '401 unauthorized_client',
      '403 permission_denied',
      '405 invalid_argument',
      '415 invalid_argument',
    ]) {
      expect([...seen.keys()]).toContain(outcome);
    }
    target.clock.advance(3600);
    expect(await target.post(GOOD)).toMatchObject({ status: 200 });
  }, 60_000);
});
