import type { OutgoingHttpHeaders } from 'node:http';
import {
  type Answer,
  basic,
  expectDocumented,
  expectRefusal,
  form,
  FORM_TYPE,
  GOOD,
  head,
  invalid,
  JSON_TYPE,
  livesOn,
  open,
  startTarget,
  type Target,
  TOKEN,
} from './wire.js';

const ORIGIN = 'https://app.example.com';

describe('a hostile request line, query or header', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget();
  });
  livesOn(() => target);

  const post = (headers: OutgoingHttpHeaders, path = TOKEN) =>
    target.send({ path, headers: { 'content-type': JSON_TYPE, ...headers }, body: JSON.stringify(GOOD) });

  describe('methods', () => {
    it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK', 'PURGE', 'M-SEARCH', 'LINK'])(
      'refuses %s (405 with Allow)',
      async (method) => {
        const answer = await target.send({ method });
        expectRefusal(answer, { ...invalid('METHOD_NOT_ALLOWED'), status: 405, error_code: 40501 });
        expect(answer.headers.allow).toBe('POST');
      },
    );

    it('refuses HEAD (405 with Allow), without a body', async () => {
      const { status, headers, text } = await target.send({ method: 'HEAD' });
      expect({ status, text }).toEqual({ status: 405, text: '' });
      expect(headers).toMatchObject({ allow: 'POST', 'cache-control': 'no-store' });
    });

    it('never gives tokens to another method, whatever it carries', async () => {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const path = `${TOKEN}?${form(GOOD)}`;
        const headers = { 'content-type': JSON_TYPE, 'x-http-method-override': 'POST' };
        const answer = await target.send({ method, path, headers, body: JSON.stringify(GOOD) });
        expect(answer.status).toBe(405);
      }
    });

    it('is not talked into another method by X-HTTP-Method-Override', async () => {
      expect(await post({ 'x-http-method-override': 'GET' })).toMatchObject({ status: 200 });
    });
  });

  describe('paths', () => {
    it.each(['/', '/auth/v1', '/auth/v1/token/x', '/auth/v1//token', '/auth/v2/token', '/auth/v1/token.json'])(
      'knows no route %s (404)',
      async (path) => {
        expectRefusal(await post({}, path), { error: 'not_found', reason: 'ROUTE_UNKNOWN' });
      },
    );

    it.each(['/auth/v1/token/', '/AUTH/v1/TOKEN', '/auth/v1/%74oken', '/auth/v1/token;x=1', '/auth/v1/./token'])(
      'takes %s for the endpoint or for no route, and for nothing else',
      async (path) => {
        const answer = await post({}, path);
        expectDocumented(answer);
        expect([200, 404]).toContain(answer.status);
      },
    );

    it.each([
      '/auth/v1/%',
      '/auth/v1/%zz',
      '/auth/v1/%ff',
      '/auth/v1/token/%c0%af',
      '/auth/v1/token%00',
      '/..%2f..%2fetc/passwd',
      '/__proto__/constructor',
      `/${'a/'.repeat(6000)}`,
    ])('answers the strange path %.40s in the documented body', async (path) => {
      const answer = await post({}, path);
      expectDocumented(answer);
      expect([400, 404]).toContain(answer.status);
    });
  });

  describe('query', () => {
    it.each([
      ['username', { username: undefined }],
      ['password', { password: undefined }],
      ['grant_type', { grant_type: undefined }],
    ])('gives no %s', async (field, missing) => {
      const answer = await target.send({
        path: `${TOKEN}?${form(GOOD)}`,
        headers: { 'content-type': JSON_TYPE },
        body: JSON.stringify({ ...GOOD, ...missing }),
      });
      expectRefusal(answer, invalid('PARAMETER_MISSING', field, 'is required'));
    });

    it('gives no client_secret', async () => {
      const { client_id, client_secret } = target.confidential;
      const answer = await target.send({
        path: `${TOKEN}?${form({ client_secret })}`,
        headers: { 'content-type': JSON_TYPE },
        body: JSON.stringify({ client_id, grant_type: 'client_credentials' }),
      });
      expectRefusal(answer, { error: 'unauthorized_client', reason: 'CLIENT_SECRET_MISSING' });
    });

    it('takes a client_id, and ignores the rest of it', async () => {
      const body = JSON.stringify({ ...GOOD, client_id: undefined });
      for (const query of ['client_id=app', 'x=1&client_id=app&scope=admin&scope=b&grant_type=x&__proto__=1']) {
        const answer = await target.send({ path: `${TOKEN}?${query}`, headers: { 'content-type': JSON_TYPE }, body });
        expect(answer).toMatchObject({ status: 200 });
      }
    });

    it.each([
      ['another client_id', 'client_id=other'],
      ['the client_id in other case', 'client_id=App'],
      ['the client_id and a space', 'client_id=app%20'],
      ['a malformed percent-encoding', 'client_id=%zz'],
      ['a lone percent sign', 'client_id=%'],
    ])('may not contradict the body: %s', async (_, query) => {
      expectRefusal(await post({}, `${TOKEN}?${query}`), invalid('CLIENT_ID_MISMATCH'));
    });

    it.each([
      ['a NUL', 'client_id=app%00'],
      ['octets that are not UTF-8', 'client_id=%ff'],
      ['a letter beyond ASCII', 'client_id=%C3%A9'],
    ])('holds no client_id with %s', async (_, query) => {
      expectRefusal(
        await post({}, `${TOKEN}?${query}`),
        invalid('PARAMETER_INVALID', 'client_id', 'must be printable ASCII'),
      );
    });

    it('holds no client_id that is too long', async () => {
      expectRefusal(
        await post({}, `${TOKEN}?client_id=${'a'.repeat(129)}`),
        invalid('PARAMETER_TOO_LONG', 'client_id', 'must be at most 128 characters'),
      );
    });

    it.each([
      'client_id=app&client_id=app',
      'client_id=app&client_id=other',
      'client_id=&client_id=app',
      'client%5Fid=app&client_id=app',
    ])('holds one client_id at most (RFC 6749 §3.2): %s', async (query) => {
      expectRefusal(
        await post({}, `${TOKEN}?${query}`),
        invalid('PARAMETER_REPEATED', 'client_id', 'must be sent once'),
      );
    });

    it('may hold an empty client_id, which counts as absent', async () => {
      expect(await post({}, `${TOKEN}?client_id=`)).toMatchObject({ status: 200 });
    });

    it.each([
      'client_id[]=other',
      'client_id[x]=other',
      'CLIENT_ID=other',
      '&&&=&=',
      '?client_id=other',
      '%',
      '%ff=%ff',
    ])('is otherwise ignored: %s', async (query) => {
      expect(await post({}, `${TOKEN}?${query}`)).toMatchObject({ status: 200 });
    });

    it('cannot hide a contradicting client_id behind a thousand parameters', async () => {
      expectRefusal(await post({}, `${TOKEN}?${'a&'.repeat(1500)}client_id=other`), invalid('CLIENT_ID_MISMATCH'));
    });
  });

  describe('x-request-id', () => {
    it.each(['a', 'a'.repeat(64), 'A-z_0.9', '-', '.', '..'])('is echoed: %s', async (id) => {
      const answer = await post({ 'x-request-id': id });
      expect(answer).toMatchObject({ status: 200, headers: { 'x-request-id': id } });
      expect(target.log.some(({ requestId }) => requestId === id)).toBe(true);
    });

    it.each([
      ['empty', ''],
      ['too long', 'a'.repeat(65)],
      ['much too long', 'a'.repeat(8000)],
      ['with spaces', 'a b'],
      ['with a quote', 'a"b'],
      ['with markup', '<script>'],
      ['with a slash', 'a/b'],
      ['beyond ASCII', 'é'],
      ['with a tab', 'a\tb'],
      ['twice', ['a', 'b']],
    ])('is replaced where it is %s', async (_, id) => {
      for (const path of [TOKEN, '/nowhere']) {
        const { headers, body } = await post({ 'x-request-id': id }, path);
        expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
        const details = (body!['details'] ?? []) as { requestId?: string }[];
        for (const { requestId = headers['x-request-id'] } of details) expect(requestId).toBe(headers['x-request-id']);
      }
    });
  });

  describe('x-device-id', () => {
    it.each(['a', 'a'.repeat(128), 'two words', '"; DROP TABLE auth_session; --', '__proto__'])(
      'may be %s',
      async (id) => {
        expect(await post({ 'x-device-id': id })).toMatchObject({ status: 200 });
      },
    );

    it('counts as absent where it is empty', async () => {
      expect(await post({ 'x-device-id': '' })).toMatchObject({ status: 200 });
    });

    it.each([
      ['too long', 'a'.repeat(129)],
      ['much too long', 'a'.repeat(8000)],
      ['beyond ASCII', 'é'],
      ['with a tab', 'a\tb'],
    ])('is refused where it is %s', async (_, id) => {
      expectRefusal(
        await post({ 'x-device-id': id }),
        invalid('PARAMETER_INVALID', 'x-device-id', 'must be 1 to 128 printable characters'),
      );
    });
  });

  describe('Accept-Language', () => {
    const wrong = (language: string | undefined) =>
      target.post({ ...GOOD, client_id: 'nobody' }, language === undefined ? {} : { 'accept-language': language });
    const EXPECTED = {
      error: 'invalid_client',
      reason: 'CLIENT_UNKNOWN',
      message: 'The client does not exist.',
    } as const;

    it.each([
      'zh-CN',
      'zh',
      'ZH-cn',
      'zh-Hans-CN',
      'zh-TW',
      'zh;q=0.9,en;q=0.5',
      'fr,zh;q=0.1',
      'zh-CN,zh;q=0.9,en;q=0.8',
    ])('adds the Chinese sentence for %s, beside the English one', async (language) => {
      expectRefusal(await wrong(language), { ...EXPECTED, chinese: '客户端不存在。' });
    });

    it.each([
      undefined,
      '',
      '*',
      'en',
      'fr',
      'zh;q=0.5,en;q=0.9',
      'zh;q=0',
      'zhx',
      'x-zh',
      ';;;,,,===',
      'q=1',
      '__proto__',
      'constructor',
      '\u00ff\u00fe',
      'zh;q=nan',
      `${'a-'.repeat(4000)}`,
      `${'en;q=0.1,'.repeat(1500)}`,
      `${' '.repeat(7000)},${';'.repeat(7000)}`,
    ])('stays with English for %.40s', async (language) => {
      expectRefusal(await wrong(language), EXPECTED);
    });
  });

  describe('Authorization', () => {
    it.each([
      'Bearer stale',
      'Bearer',
      'bearer a.b.c',
      'Digest username="x"',
      'Negotiate x',
      '',
      'x',
      `Bearer ${'x'.repeat(12_000)}`,
    ])('is ignored where it is not Basic: %.40s', async (authorization) => {
      expect(await post({ authorization })).toMatchObject({ status: 200 });
    });
  });

  describe('HTTP itself', () => {
    const good = JSON.stringify(GOOD);
    const documented = async (bytes: string): Promise<Answer> => {
      const { write, answer, socket } = open(target.url);
      write(bytes);
      try {
        return await answer;
      } finally {
        socket.destroy();
      }
    };

    it.each([
      ['length and chunks at once', head({ 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }) + '0\r\n\r\n'],
      ['two lengths', head({ 'Content-Length': '5', 'content-length': '6' }) + 'hello'],
      ['a negative length', head({ 'Content-Length': '-1' })],
      ['a length that is no number', head({ 'Content-Length': '1e3' })],
      ['a chunk size that is none', head({ 'Transfer-Encoding': 'chunked' }) + 'zz\r\nhello\r\n0\r\n\r\n'],
      ['an unknown method', head({}, 'BREW')],
      ['no HTTP at all', '\u0016\u0003\u0001\r\n\r\n'],
      ['a NUL in a header', head({ 'X-Evil': 'a\u0000b' })],
      ['a folded header', head({ 'X-Evil': 'a\r\n b', 'Content-Length': '0' })],
    ])('refuses %s, and ends the connection', async (_, bytes) => {
      const wire = open(target.url);
      wire.write(bytes);
      const received = await wire.closed;
      expect(received).toMatch(/^HTTP\/1\.1 400 /);
      expect(received).not.toContain('access_token');
      expect(received).not.toMatch(/\bat .*:\d+:\d+|HPE_/);
    });

    it('answers headers larger than 16 KiB in the documented body too', async () => {
      const answer = await documented(
        head({ Authorization: basic('backend', 'x'.repeat(20_000)), 'Content-Length': '0' }),
      );
      expect([400, 431]).toContain(answer.status);
      expect(answer.body).toMatchObject({ error: 'invalid_argument', code: 3, message: expect.any(String) });
    });

    it('answers what is no HTTP request in the documented body too', async () => {
      const answer = await documented(head({ 'Content-Length': '-1' }));
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ error: 'invalid_argument', code: 3, message: expect.any(String) });
    });

    it('answers an expectation that nobody can meet in the documented body, or ignores it', async () => {
      const answer = await documented(head({ Expect: 'tokens', 'Content-Length': `${good.length}` }) + good);
      expectDocumented(answer);
    });

    it('takes Expect: 100-continue', async () => {
      const wire = open(target.url);
      wire.write(head({ Expect: '100-continue', Connection: 'close', 'Content-Length': `${good.length}` }));
      wire.write(good);
      const received = await wire.closed;
      expect(received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    });

    it('answers pipelined requests in their order, each with its own answer', async () => {
      const wire = open(target.url);
      const wrong = JSON.stringify({ ...GOOD, client_id: 'nobody' });
      const request = (id: string, body: string, connection = 'keep-alive') =>
        head({ 'x-request-id': id, Connection: connection, 'Content-Length': `${body.length}` }) + body;
      wire.write(request('first', good) + request('second', wrong) + request('third', good, 'close'));
      const received = await wire.closed;
      expect(received.match(/x-request-id: \w+/gi)!.map((line) => line.split(': ')[1])).toEqual([
        'first',
        'second',
        'third',
      ]);
      expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200']);
    });

    it('takes the absolute form of a request target', async () => {
      const path = `http://evil.example${TOKEN}`;
      const answer = await documented(
        head({ Connection: 'close', 'Content-Length': `${good.length}` }, 'POST', path) + good,
      );
      expectDocumented(answer);
      expect([200, 404]).toContain(answer.status);
    });
  });

  it('puts what it was sent into no response header', async () => {
    const answer = await target.send({
      path: `${TOKEN}?x=Z3bra`,
      headers: {
        'content-type': `${FORM_TYPE}`,
        origin: 'https://Z3bra.example',
        host: 'Z3bra.example',
        'x-forwarded-host': 'Z3bra.example',
        'x-request-id': 'Z3bra!',
        'x-device-id': 'Z3bra',
        authorization: 'Bearer Z3bra',
        cookie: 'a=Z3bra',
      },
      body: form(GOOD),
    });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.headers)).not.toContain('Z3bra');
    expect(answer.headers['x-powered-by']).toBeUndefined();
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('a hostile origin', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget({ settings: { corsOrigins: [ORIGIN] } });
  });
  livesOn(() => target);

  const preflight = (origin: string) =>
    target.send({ method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

  it('is not named in the answer to its preflight; a known one is', async () => {
    const known = await preflight(ORIGIN);
    expect(known.status).toBe(204);
    expect(known.headers['access-control-allow-origin']).toBe(ORIGIN);
    for (const origin of ['https://evil.example', 'null', `${ORIGIN}.evil.example`, 'http://app.example.com', '*']) {
      const { headers } = await preflight(origin);
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  it('is not named beside tokens or errors; a known one is', async () => {
    for (const parameters of [GOOD, { ...GOOD, client_id: 'nobody' }]) {
      const known = await target.post(parameters, { origin: ORIGIN });
      expect(known.headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(known.headers.vary).toBe('Origin');
      const { headers } = await target.post(parameters, { origin: 'https://evil.example' });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it.each([
    ['OPTIONS without an origin', 'OPTIONS', {}],
    ['OPTIONS that asks for no method', 'OPTIONS', { origin: ORIGIN }],
    ['GET', 'GET', { origin: ORIGIN }],
  ])('gets 405 for %s, which is no preflight', async (_, method, headers) => {
    expectRefusal(await target.send({ method, headers }), {
      ...invalid('METHOD_NOT_ALLOWED'),
      status: 405,
      error_code: 40501,
    });
  });
});
