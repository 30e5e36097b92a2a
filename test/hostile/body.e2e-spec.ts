import {
  expectDocumented,
  expectRefusal,
  form,
  FORM_TYPE,
  GOOD,
  invalid,
  JSON_TYPE,
  livesOn,
  PASSWORD,
  startTarget,
  type Target,
  USERNAME,
} from './wire.js';

const KIB_64 = 64 * 1024;
const REPEATED = 'must be sent once';
const NO_STRING = 'must be a string';
const TEXT = 'text/plain;charset=UTF-8';

describe('a hostile body', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget();
  });
  livesOn(() => target);

  const send = (type: string | undefined, body: string | Buffer | (string | Buffer)[], headers: object = {}) =>
    target.send({ headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers }, body });

  describe('content types', () => {
    it.each([
      ['JSON', JSON_TYPE, JSON.stringify(GOOD)],
      ['JSON with a charset', 'application/json; charset=utf-8', JSON.stringify(GOOD)],
      ['JSON in capitals, with a quoted charset', 'Application/JSON ; Charset="UTF-8"', JSON.stringify(GOOD)],
      ['JSON called text/plain, as the SDK sends it', TEXT, JSON.stringify(GOOD)],
      ['text/plain without a charset', 'text/plain', JSON.stringify(GOOD)],
      ['a form', FORM_TYPE, form(GOOD)],
      ['a form with a charset', `${FORM_TYPE}; charset=utf-8`, form(GOOD)],
    ])('answers the same to %s', async (_, type, body) => {
      const { status, body: answer } = await send(type, body);
      expect({ status, answer }).toEqual({
        status: 200,
        answer: {
          token_type: 'Bearer',
          access_token: expect.any(String),
          refresh_token: expect.any(String),
          id_token: expect.any(String),
          expires_in: 7200,
          scope: 'openid profile',
          sub: expect.any(String),
          groups: ['staff'],
          need_weda_resource: false,
        },
      });
    });

    it.each([
      ['no content type', undefined],
      ['an empty content type', ''],
      ['XML', 'application/xml'],
      ['multipart', 'multipart/form-data; boundary=x'],
      ['JSON of another name', 'application/vnd.api+json'],
      ['two content types', 'application/json, text/plain'],
      ['any', '*/*'],
      ['a prototype member', '__proto__'],
      ['another prototype member', 'constructor'],
      ['garbage', ';;;;=='],
      ['a long one', `application/${'x'.repeat(8000)}`],
    ])('refuses %s (415)', async (_, type) => {
      expectRefusal(await send(type, JSON.stringify(GOOD)), {
        ...invalid('CONTENT_TYPE_UNSUPPORTED'),
        status: 415,
        error_code: 41501,
      });
    });

    it.each([
      ['latin1', 'application/json; charset=iso-8859-1'],
      ['UTF-16', 'application/json; charset=utf-16le'],
      ['UTF-7', 'text/plain; charset=utf-7'],
      ['GBK', `${FORM_TYPE}; charset=gbk`],
      ['an empty charset', 'application/json; charset='],
      ['a second charset', 'application/json; charset=utf-8; charset=latin1'],
      ['a charset with spaces', 'application/json; charset = "latin1"'],
    ])('refuses %s (415)', async (_, type) => {
      expectRefusal(await send(type, JSON.stringify(GOOD)), {
        ...invalid('CHARSET_UNSUPPORTED'),
        status: 415,
        error_code: 41501,
      });
    });

    it.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'x'])(
      'refuses content-encoding %s',
      async (encoding) => {
        expectRefusal(await send(JSON_TYPE, JSON.stringify(GOOD), { 'content-encoding': encoding }), {
          ...invalid('CONTENT_ENCODING_UNSUPPORTED'),
          status: 415,
          error_code: 41501,
        });
      },
    );
  });

  describe('malformed JSON', () => {
    it.each([
      ['nothing', ''],
      ['a space', ' '],
      ['a brace', '{'],
      ['a cut one', JSON.stringify(GOOD).slice(0, -1)],
      ['a trailing comma', '{"client_id":"app",}'],
      ['single quotes', "{'client_id':'app'}"],
      ['names without quotes', '{client_id:"app"}'],
      ['a comment', '{/**/"client_id":"app"}'],
      ['two documents', '{}{}'],
      ['a form called JSON', form(GOOD)],
      ['NaN', 'NaN'],
      ['a raw NUL', '{"client_id":"a\u0000pp"}'],
      ['NULs only', '\u0000\u0000'],
      ['a raw newline in a string', '{"client_id":"a\npp"}'],
      ['a bad escape', '{"client_id":"\\x61pp"}'],
      ['an array', '[]'],
      ['an array of the right thing', JSON.stringify([GOOD])],
      ['null', 'null'],
      ['a number', '1'],
      ['a string', JSON.stringify(JSON.stringify(GOOD))],
      ['true', 'true'],
      ['65,536 opening brackets', '['.repeat(KIB_64)],
      ['32,768 nested arrays', '['.repeat(KIB_64 / 2) + ']'.repeat(KIB_64 / 2)],
      ['13,107 nested objects that never end', '{"a":'.repeat(KIB_64 / 5)],
    ])('refuses %s', async (_, body) => {
      expectRefusal(await send(JSON_TYPE, body), {
        ...invalid('BODY_MALFORMED'),
        message: 'The request body could not be read.',
      });
      expectRefusal(await send('text/plain', body), invalid('BODY_MALFORMED'));
    });

    it.each([
      ['a lone continuation byte', [0x80]],
      ['an overlong slash', [0xc0, 0xaf]],
      ['a surrogate', [0xed, 0xa0, 0x80]],
      ['a code point beyond Unicode', [0xf5, 0x80, 0x80, 0x80]],
      ['a cut sequence', [0xe2, 0x82]],
      ['latin1', [0xe9]],
    ])('refuses invalid UTF-8: %s', async (_, bytes) => {
      const json = Buffer.concat([Buffer.from('{"client_id":"app","x":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expectRefusal(await send(JSON_TYPE, json), invalid('BODY_MALFORMED'));
      const encoded = Buffer.concat([Buffer.from('client_id=app&x='), Buffer.from(bytes)]);
      expectRefusal(await send(FORM_TYPE, encoded), invalid('BODY_MALFORMED'));
    });

    it('ignores a byte order mark or refuses it, and nothing else (RFC 8259 §8.1)', async () => {
      const answer = await send(JSON_TYPE, `\ufeff${JSON.stringify(GOOD)}`);
      expectDocumented(answer);
      expect([200, 400]).toContain(answer.status);
    });

    it('refuses UTF-16 with its byte order mark', async () => {
      expectRefusal(
        await send(JSON_TYPE, Buffer.from(`\ufeff${JSON.stringify(GOOD)}`, 'utf16le')),
        invalid('BODY_MALFORMED'),
      );
    });
  });

  describe('what is no string', () => {
    const ODD: [string, unknown][] = [
      ['an array', ['app']],
      ['an empty array', []],
      ['an object', { $ne: null }],
      ['an object that speaks for itself', { toString: 'app', length: 3 }],
      ['a number', 1],
      ['zero', 0],
      ['true', true],
      ['false', false],
      ['null', null],
    ];
    const PER_GRANT: [string, object][] = [
      ['client_id', { ...GOOD }],
      ['client_secret', { ...GOOD }],
      ['grant_type', { ...GOOD }],
      ['username', { ...GOOD }],
      ['password', { ...GOOD }],
      ['scope', { ...GOOD }],
      ['nonce', { ...GOOD }],
      ['refresh_token', { client_id: 'app', grant_type: 'refresh_token' }],
      ['code', { client_id: 'app', grant_type: 'authorization_code' }],
      ['redirect_uri', { client_id: 'app', grant_type: 'authorization_code', code: 'x' }],
      ['code_verifier', { client_id: 'app', grant_type: 'authorization_code', code: 'x' }],
      ['device_code', { client_id: 'app', grant_type: 'device_code' }],
    ];

    it.each(PER_GRANT.flatMap(([field, rest]) => ODD.map(([what, value]) => [field, what, rest, value] as const)))(
      'refuses %s as %s',
      async (field, _, rest, value) => {
        expectRefusal(await target.post({ ...rest, [field]: value }), invalid('PARAMETER_INVALID', field, NO_STRING));
      },
    );

    it.each(PER_GRANT)('refuses %s as a lone surrogate', async (field, rest) => {
      const answer = await send(JSON_TYPE, JSON.stringify({ ...rest, [field]: 'X' }).replace('"X"', '"\\ud800x"'));
      expectRefusal(answer, invalid('PARAMETER_INVALID', field, 'must be well-formed Unicode'));
    });

    it.each(PER_GRANT)('refuses %s twice in JSON, escaped or not', async (field, rest) => {
      const text = JSON.stringify({ ...rest, [field]: (rest as Record<string, string>)[field] ?? 'x' }).slice(1);
      const value = JSON.stringify((rest as Record<string, string>)[field] ?? 'x');
      const escaped = `"\\u${field.charCodeAt(0).toString(16).padStart(4, '0')}${field.slice(1)}"`;
      for (const name of [`"${field}"`, escaped]) {
        for (const first of [value, '""', 'null', '{"a":["b:c",{"d":1}]}']) {
          expectRefusal(
            await send(JSON_TYPE, `{${name}: ${first},${text}`),
            invalid('PARAMETER_REPEATED', field, REPEATED),
          );
        }
      }
    });

    it.each(PER_GRANT)('refuses %s twice in a form, escaped or not', async (field, rest) => {
      const parameters = { ...(rest as Record<string, string>) };
      const value = (parameters[field] ??= 'x');
      const escaped = `%${field.charCodeAt(0).toString(16)}${field.slice(1)}`;
      for (const again of [`${field}=${value}`, `${escaped}=${value}`, `${field}=`, field]) {
        expectRefusal(
          await send(FORM_TYPE, `${form(parameters)}&${again}`),
          invalid('PARAMETER_REPEATED', field, REPEATED),
        );
      }
    });

    it.each(PER_GRANT.slice(2))('counts %s as absent where it is empty (RFC 6749 §3.1)', async (field, rest) => {
      const outcome = ({ status, body }: Awaited<ReturnType<Target['post']>>) => [
        status,
        body?.['error_code'],
        body?.['message'],
      ];
      const absent = outcome(await target.post({ ...rest, [field]: undefined }));
      expect(outcome(await target.post({ ...rest, [field]: '' }))).toEqual(absent);
      const left = Object.fromEntries(Object.entries(rest).filter(([name]) => name !== field)) as Record<
        string,
        string
      >;
      expect(outcome(await send(FORM_TYPE, form({ ...left, [field]: '' })))).toEqual(absent);
    });
  });

  describe('unknown parameters', () => {
    it.each([
      ['a string', '"x"'],
      ['an array', '[1,[2,{"grant_type":"x"}]]'],
      ['an object', '{"client_id":"other","client_id":"other"}'],
      ['null', 'null'],
      ['a huge number', '1e999999'],
      ['many digits', '9'.repeat(20_000)],
      ['a lone surrogate', '"\\udfff"'],
      ['32,000 nested arrays', '['.repeat(32_000) + ']'.repeat(32_000)],
      ['10,000 nested objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
      ['quotes, colons and braces in strings', '"\\"grant_type\\":\\"x\\"}{][,:\\\\"'],
      ['60,000 characters', `"${'x'.repeat(60_000)}"`],
    ])('are ignored: %s', async (_, value) => {
      const text = JSON.stringify(GOOD).slice(1);
      expect(await send(JSON_TYPE, `{"extra":${value},${text}`)).toMatchObject({ status: 200 });
    });

    it('are ignored when repeated', async () => {
      expect(await send(FORM_TYPE, `x=1&x=2&${form(GOOD)}&x=3`)).toMatchObject({ status: 200 });
      expect(await send(JSON_TYPE, `{"x":1,"x":2,${JSON.stringify(GOOD).slice(1)}`)).toMatchObject({ status: 200 });
    });

    it.each(['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf', 'isPrototypeOf'])(
      'are ignored when called %s, and change nothing for anyone',
      async (name) => {
        const evil = `{"client_id":"other","grant_type":"client_credentials","public":false,"polluted":true}`;
        const answer = await send(JSON_TYPE, `{"${name}":${evil},${JSON.stringify(GOOD).slice(1)}`);
        expect(answer).toMatchObject({ status: 200 });
        expectRefusal(
          await send(JSON_TYPE, `{"${name}":{"client_id":"app"}}`),
          invalid('CLIENT_ID_MISSING', 'client_id', 'is required'),
        );
        expectRefusal(
          await send(FORM_TYPE, `${name}[client_id]=app&${name}.client_id=app&${name}=x`),
          invalid('CLIENT_ID_MISSING', 'client_id', 'is required'),
        );
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
        expect(({} as Record<string, unknown>)['client_id']).toBeUndefined();
      },
    );

    it('are ignored by the thousand', async () => {
      const many = Array.from({ length: 5000 }, (_, i): [string, string] => [`p${i}`, `${i}`]);
      expect(await send(FORM_TYPE, form([...many, ...Object.entries(GOOD)]))).toMatchObject({ status: 200 });
      expect(await target.post({ ...Object.fromEntries(many.slice(0, 3500)), ...GOOD })).toMatchObject({ status: 200 });
      expect(await send(FORM_TYPE, '&'.repeat(60_000) + form(GOOD))).toMatchObject({ status: 200 });
      expect(await send(FORM_TYPE, `${'a&'.repeat(30_000)}${form(GOOD)}`)).toMatchObject({ status: 200 });
    });

    it('do not hide a repetition among thousands', async () => {
      const many = Array.from({ length: 3000 }, (_, i) => `"p${i}":"${i}"`).join();
      expectRefusal(
        await send(JSON_TYPE, `{"grant_type":"password",${many},${JSON.stringify(GOOD).slice(1)}`),
        invalid('PARAMETER_REPEATED', 'grant_type', REPEATED),
      );
    });

    it.each([
      ['brackets', 'client_id[]=app&grant_type[]=password'],
      ['indices', 'client_id[0]=app'],
      ['dots', 'client_id.x=app'],
      ['a name in capitals', 'CLIENT_ID=app'],
      ['a name with a space', '%20client_id=app'],
      ['a name with a NUL', 'client_id%00=app'],
      ['semicolons', 'x=1;client_id=app'],
    ])('are what a known name with %s is', async (_, body) => {
      expectRefusal(await send(FORM_TYPE, body), invalid('CLIENT_ID_MISSING', 'client_id', 'is required'));
    });
  });

  describe('characters', () => {
    const CONTROLS: [string, string][] = [
      ['NUL', '\u0000'],
      ['a newline', '\n'],
      ['carriage return and newline', '\r\nset-cookie: a=b'],
      ['escape', '\u001b[31m'],
      ['delete', '\u007f'],
      ['a C1 control', '\u0085'],
    ];

    it.each(CONTROLS.flatMap(([what, c]) => ['username', 'password'].map((field) => [field, what, c] as const)))(
      'refuses a %s with %s (RFC 6749 appendix A)',
      async (field, _, c) => {
        const wrong = { ...GOOD, [field]: `${GOOD[field as 'username']}${c}` };
        const expected = invalid('PARAMETER_INVALID', field, 'must not contain control characters');
        expectRefusal(await target.post(wrong), expected);
        expectRefusal(await send(FORM_TYPE, form(wrong)), expected);
      },
    );

    it.each([...CONTROLS, ['a letter beyond ASCII', 'é'], ['an emoji', '😀']])(
      'refuses a client_id and a client_secret with %s',
      async (_, c) => {
        const expected = 'must be printable ASCII';
        expectRefusal(
          await target.post({ ...GOOD, client_id: `app${c}` }),
          invalid('PARAMETER_INVALID', 'client_id', expected),
        );
        expectRefusal(
          await target.post({ ...GOOD, client_secret: `x${c}` }),
          invalid('PARAMETER_INVALID', 'client_secret', expected),
        );
      },
    );

    it.each([...CONTROLS, ['a space at the end', ' '], ['other case', 'D']])(
      'knows no grant_type with %s',
      async (_, c) => {
        const answer = await target.post({ ...GOOD, grant_type: c === 'D' ? 'PASSWORD' : `password${c}` });
        expectRefusal(answer, { error: 'unsupported_grant_type', reason: 'GRANT_TYPE_UNSUPPORTED' });
      },
    );

    it.each(CONTROLS)('finds nothing under a code, device code or refresh token with %s', async (_, c) => {
      for (const [field, grant_type] of [
        ['code', 'authorization_code'],
        ['device_code', 'device_code'],
        ['refresh_token', 'refresh_token'],
      ] as const) {
        const answer = await target.post({ client_id: 'app', grant_type, [field]: `m.x${c}` });
        expectDocumented(answer);
        expect(answer.status).toBe(400);
      }
    });

    it('takes no octets that are not UTF-8 for a username or a password, percent-encoded or not', async () => {
      const answer = await send(FORM_TYPE, `${form({ ...GOOD, password: '' }).replace('password=&', '')}%FF%FE`);
      expectDocumented(answer);
      expect(answer.status).toBe(400);
    });

    it.each([
      "' OR 1=1 --",
      '"; DROP TABLE auth_user; --',
      '${7*7}',
      '{{7*7}}',
      '%s%n',
      '../../etc/passwd',
      '*)(uid=*',
    ])('finds no user called %s', async (username) => {
      expectRefusal(await target.post({ ...GOOD, username }), invalid('WRONG_USERNAME_OR_PASSWORD'));
    });
  });

  describe('sizes', () => {
    const padded = (size: number) => {
      const text = JSON.stringify({ ...GOOD, pad: '' });
      return text.replace('"pad":""', `"pad":"${'x'.repeat(size - text.length)}"`);
    };
    const tooLarge = { ...invalid('BODY_TOO_LARGE'), status: 413, error_code: 41301 };

    it('takes 64 KiB, with a length or chunked', async () => {
      expect(await send(JSON_TYPE, padded(KIB_64))).toMatchObject({ status: 200 });
      const pieces = padded(KIB_64).match(/.{1,5000}/g)!;
      expect(await send(JSON_TYPE, pieces)).toMatchObject({ status: 200 });
    });

    it('refuses a byte more (413), with a length or chunked', async () => {
      expectRefusal(await send(JSON_TYPE, padded(KIB_64 + 1)), tooLarge);
      expectRefusal(await send(JSON_TYPE, padded(KIB_64 + 1).match(/.{1,5000}/g)!), tooLarge);
      expectRefusal(await send(FORM_TYPE, 'x'.repeat(KIB_64 + 1)), tooLarge);
    });

    it('counts bytes, not characters', async () => {
      const text = JSON.stringify({ ...GOOD, pad: '€'.repeat(KIB_64 / 3) });
      expect(text.length).toBeLessThan(KIB_64);
      expectRefusal(await send(JSON_TYPE, text), tooLarge);
    });

    it('puts a body together that comes a byte at a time, across characters', async () => {
      const bytes = [...Buffer.from(JSON.stringify({ ...GOOD, pad: '€😀' }))].map((byte) => Buffer.from([byte]));
      expect(await send(JSON_TYPE, bytes)).toMatchObject({ status: 200 });
    });

    const CODE = { client_id: 'app', grant_type: 'authorization_code', code: 'x' };
    const LONGEST: [string, number, object][] = [
      ['client_id', 128, GOOD],
      ['client_secret', 256, GOOD],
      ['grant_type', 128, GOOD],
      ['username', 256, GOOD],
      ['password', 1024, GOOD],
      ['scope', 1024, GOOD],
      ['nonce', 512, GOOD],
      ['refresh_token', 512, { client_id: 'app', grant_type: 'refresh_token' }],
      ['scope', 1024, { client_id: 'app', grant_type: 'refresh_token', refresh_token: 'x' }],
      ['nonce', 512, { client_id: 'app', grant_type: 'refresh_token', refresh_token: 'x' }],
      ['code', 512, CODE],
      ['redirect_uri', 2048, CODE],
      ['code_verifier', 128, CODE],
      ['nonce', 512, CODE],
      ['device_code', 512, { client_id: 'app', grant_type: 'device_code' }],
      ['nonce', 512, { client_id: 'app', grant_type: 'device_code', device_code: 'x' }],
    ];

    it.each(LONGEST)('refuses a %s longer than %i characters, and says so', async (field, max, rest) => {
      for (const length of [max + 1, 60_000]) {
        expectRefusal(
          await target.post({ ...rest, [field]: 'x'.repeat(length) }),
          invalid('PARAMETER_TOO_LONG', field, `must be at most ${max} characters`),
        );
      }
      const answer = await target.post({ ...rest, [field]: 'x'.repeat(max) });
      expectDocumented(answer);
      const [info] = (answer.body?.['details'] ?? [{}]) as { reason?: string }[];
      expect(info!.reason).not.toBe('PARAMETER_TOO_LONG');
    });

    it.each([
      ['scope', 1024, { ...GOOD }],
      ['password', 1024, { ...GOOD }],
      ['code_verifier', 128, CODE],
    ])('calls a %s that is too long too long, malformed or not', async (field, max, rest) => {
      expectRefusal(
        await target.post({ ...rest, [field]: '\u0001'.repeat(max + 1) }),
        invalid('PARAMETER_TOO_LONG', field, `must be at most ${max} characters`),
      );
    });
  });

  it('names every parameter that is wrong in one answer', async () => {
    expectRefusal(await target.post({ client_id: 'app', grant_type: 'password' }), {
      error: 'invalid_argument',
      reason: 'PARAMETER_MISSING',
      fields: [
        { field: 'username', description: 'is required' },
        { field: 'password', description: 'is required' },
      ],
    });
  });

  it('never says what was sent', async () => {
    const marker = 'Z3bra';
    for (const field of [
      'client_id',
      'client_secret',
      'grant_type',
      'username',
      'password',
      'scope',
      'nonce',
      marker,
    ]) {
      for (const value of [marker, { [marker]: marker }, marker.repeat(1000)]) {
        const answer = await target.post({ ...GOOD, grant_type: 'x', [field]: value });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.text).not.toContain(marker);
        expect(JSON.stringify(answer.headers)).not.toContain(marker);
      }
    }
    expectRefusal(await send(JSON_TYPE, `{"${marker}"`), invalid('BODY_MALFORMED'));
    expect(USERNAME + PASSWORD).not.toContain(marker);
  });
});
