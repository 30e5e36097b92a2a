import { ConsentService } from '../src/oauth/authorization/consent.service.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { redeem as redeemAt } from './fixtures.js';
import { ISSUER, type Service, startService } from './service.js';
import { answerOf, CALLBACK, CHALLENGE, type Fields, formOf, REQUEST, titleOf, VERIFIER, Visitor } from './visitor.js';

const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString());

describe('/oauth2/authorize (RFC 6749 §4.1, OpenID Connect Core §3.1.2)', () => {
  let service: Service;
  let visitor: Visitor;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app', name: 'The App' });
    await service.client({ id: 'ours', first_party: true });
    await service.client({ id: 'backend', public: false, redirect_uris: ['https://app.example.com/cb?tenant=1'] });
    await service.client({ id: 'no-codes', grant_types: ['password'] });
    await service.client({
      id: 'native',
      redirect_uris: [
        'http://127.0.0.1/callback',
        'http://127.0.0.1:7777/fixed?x=1',
        'http://[::1]/callback',
        'http://localhost:4000/callback',
        'com.example.app:/callback',
      ],
    });
    sub = await service.user('ada', 'correct horse');
    await service.user('bob', 'battery staple');
  });
  afterAll(() => service.close());
  beforeEach(() => {
    visitor = new Visitor(service.url);
    service.clock.advance(10);
  });

  const redeem = (code: string, more?: object) => redeemAt(service, code, more);

  it('goes by sign-in and consent to a code that the token endpoint takes', async () => {
    const signIn = await visitor.authorize();
    expect([signIn.status, titleOf(signIn)]).toEqual([200, 'Sign in']);
    const auth_time = service.clock.now() / 1000;
    const consent = await visitor.signIn(signIn);
    expect([consent.status, titleOf(consent)]).toEqual([200, 'Allow access?']);
    expect(consent.text).toContain('The App would like to:');
    const answer = answerOf(await visitor.submit(consent, { decision: 'allow' }));
    expect(answer).toEqual({ redirect_uri: CALLBACK, code: expect.any(String), state: 'st-1', iss: ISSUER });
    const { body } = await redeem(answer['code']!);
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'openid profile', sub });
    expect(claims(body.id_token)).toMatchObject({
      sub,
      aud: 'app',
      nonce: 'n-1',
      auth_time,
    });
  });

  it('asks neither again where the browser is signed in and the user has agreed', async () => {
    const response = await signedIn();
    expect(answerOf(response)).toEqual({
      redirect_uri: CALLBACK,
      code: expect.any(String),
      state: 'st-1',
      iss: ISSUER,
    });
    expect(answerOf(await visitor.get('/oauth2/authorize', REQUEST))).toHaveProperty('code'); // in one step
  });

  it('asks for consent again where the scope is new', async () => {
    await signedIn();
    const page = await visitor.authorize({ scope: 'openid profile email' });
    expect(titleOf(page)).toBe('Allow access?');
    await visitor.submit(page, { decision: 'allow' });
    expect(answerOf(await visitor.authorize({ scope: 'email' }))).toHaveProperty('code');
    await service.app.get(ConsentService).withdraw('app', sub);
    expect(titleOf(await visitor.authorize({ scope: 'email' }))).toBe('Allow access?');
  });

  it('answers access_denied where the user denies', async () => {
    const consent = await visitor.signIn(await visitor.authorize(), 'bob', 'battery staple');
    expect(answerOf(await visitor.submit(consent, { decision: 'deny' }))).toEqual({
      redirect_uri: CALLBACK,
      error: 'access_denied',
      error_description: 'The user refused.',
      state: 'st-1',
      iss: ISSUER,
    });
  });

  it('does not ask for consent to a first-party client', async () => {
    const response = await visitor.signIn(await visitor.authorize({ client_id: 'ours' }));
    expect(answerOf(response)).toHaveProperty('code');
    expect(titleOf(await visitor.authorize({ client_id: 'ours', prompt: 'consent' }))).toBe('Allow access?');
  });

  it('takes the request by POST, whose cookie comes back with the redirect', async () => {
    await signedIn();
    const { status, headers } = await new Visitor(service.url).post('/oauth2/authorize', REQUEST);
    expect([status, headers['location']]).toEqual([
      303,
      expect.stringMatching(/^\/oauth2\/authorize\/continue\?ticket=/),
    ]);
    expect(headers['set-cookie']).toBeUndefined();
    expect(answerOf(await visitor.get(headers['location']!))).toMatchObject({ state: 'st-1' });
  });

  it('keeps the query of the redirect_uri (RFC 6749 §3.1.2)', async () => {
    const redirect_uri = 'https://app.example.com/cb?tenant=1';
    const { headers } = await visitor.authorize({ client_id: 'backend', redirect_uri, prompt: 'none' });
    expect(headers['location']).toMatch(/^https:\/\/app\.example\.com\/cb\?tenant=1&error=login_required&/);
  });

  it('answers by form_post (OAuth 2.0 Form Post Response Mode), to a button where there is no JavaScript', async () => {
    await signedIn();
    const page = await visitor.authorize({ response_mode: 'form_post', state: '"><script>alert(1)</script>' });
    expect(page.status).toBe(200);
    expect(formOf(page)).toEqual({
      action: CALLBACK,
      fields: { code: expect.any(String), state: '"><script>alert(1)</script>', iss: ISSUER },
    });
    expect(page.text).not.toContain('<script>alert');
    expect(page.headers['content-security-policy']).toMatch(
      /script-src 'sha256-[^']+'; form-action 'self' https:\/\/app\.example\.com;/,
    );
    const refused = await visitor.authorize({ response_mode: 'form_post', scope: 'root' });
    expect(formOf(refused).fields).toMatchObject({ error: 'invalid_scope', state: 'st-1', iss: ISSUER });
  });

  it('does not redirect by 307, and lets nothing be stored or referred (RFC 9700 §4.2.4, §4.12)', async () => {
    const { status, headers } = await signedIn();
    expect(status).toBe(303);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  describe('prompt, max_age and hints (OpenID Connect Core §3.1.2.1)', () => {
    it.each(['login', 'select_account', 'login consent'])('prompt=%s asks who it is, once', async (prompt) => {
      await signedIn();
      service.clock.advance(5);
      const page = await visitor.authorize({ prompt });
      expect(titleOf(page)).toBe('Sign in');
      const auth_time = service.clock.now() / 1000;
      const next = await visitor.signIn(page);
      const answer = prompt.includes('consent') ? await visitor.submit(next, { decision: 'allow' }) : next;
      const { body } = await redeem(answerOf(answer)['code']!);
      expect(claims(body.id_token).auth_time).toBe(auth_time);
    });

    it('prompt=consent asks for consent, however often', async () => {
      await signedIn();
      const page = await visitor.authorize({ prompt: 'consent' });
      expect(titleOf(page)).toBe('Allow access?');
      expect(answerOf(await visitor.submit(page, { decision: 'allow' }))).toHaveProperty('code');
      expect(titleOf(await visitor.authorize({ prompt: 'consent' }))).toBe('Allow access?');
    });

    it('prompt=none never shows a page', async () => {
      const none = async (more: Fields = {}) =>
        answerOf(await visitor.get('/oauth2/authorize', { ...REQUEST, prompt: 'none', ...more }));
      expect(await none()).toEqual({
        redirect_uri: CALLBACK,
        error: 'login_required',
        error_description: 'The user has to sign in.',
        state: 'st-1',
        iss: ISSUER,
      });
      await signedIn();
      expect(await none()).toHaveProperty('code');
      expect(await none({ max_age: '3' })).toHaveProperty('code');
      service.clock.advance(4);
      expect(await none({ max_age: '3' })).toMatchObject({ error: 'login_required' });
      await service.app.get(ConsentService).withdraw('app', sub);
      expect(await none()).toMatchObject({ error: 'consent_required' });
    });

    it('max_age counts from the sign-in, and max_age=0 ends', async () => {
      const client_id = 'ours'; // without a consent page, so that no time is spent on it
      await visitor.signIn(await visitor.authorize({ client_id }));
      service.clock.advance(100);
      expect(answerOf(await visitor.authorize({ client_id, max_age: '100' }))).toHaveProperty('code');
      expect(titleOf(await visitor.authorize({ client_id, max_age: '99' }))).toBe('Sign in');
      const asked = await visitor.authorize({ client_id, max_age: '0' });
      expect(answerOf(await visitor.signIn(asked))).toHaveProperty('code');
    });

    it('id_token_hint is the user who must be signed in', async () => {
      const { body } = await redeem(answerOf(await signedIn())['code']!);
      const hint = { id_token_hint: body.id_token, prompt: 'none' };
      service.clock.advance(100_000); // the browser's sign-in is idle by then, the hint has expired
      await signedIn();
      expect(answerOf(await visitor.authorize(hint))).toHaveProperty('code');
      const other = new Visitor(service.url);
      const consent = await other.signIn(await other.authorize(), 'bob', 'battery staple');
      await other.submit(consent, { decision: 'allow' });
      expect(answerOf(await other.authorize(hint))).toMatchObject({ error: 'login_required' });
      service.clock.advance(1);
      const asked = await other.authorize({ id_token_hint: body.id_token });
      expect(titleOf(asked)).toBe('Sign in');
      service.clock.advance(1);
      const bobAgain = await other.signIn(asked, 'bob', 'battery staple');
      expect(answerOf(bobAgain)).toMatchObject({ error: 'login_required' }); // and not the page for ever
      expect(answerOf(await other.authorize({ ...hint, id_token_hint: body.access_token }))).toMatchObject({
        error: 'login_required',
      });
    });

    it('login_hint stands in the form', async () => {
      const page = await visitor.authorize({ login_hint: 'ada@example.com' });
      expect(page.text).toContain('name="username" type="text" value="ada@example.com"');
    });

    it('ui_locales goes before Accept-Language', async () => {
      visitor.headers = { 'accept-language': 'en' };
      const page = await visitor.authorize({ ui_locales: 'fr zh-CN' });
      expect([page.headers['content-language'], titleOf(page)]).toEqual(['zh-CN', '登录']);
    });
  });

  describe('redirect_uri, compared as a string (RFC 9700 §2.1, §4.1): an error is shown, never redirected', () => {
    it.each([
      ['another case', 'https://app.example.com/Callback'],
      ['another case of the host', 'https://APP.example.com/callback'],
      ['another case of the scheme', 'HTTPS://app.example.com/callback'],
      ['a trailing slash', 'https://app.example.com/callback/'],
      ['a trailing dot', 'https://app.example.com./callback'],
      ['the default port', 'https://app.example.com:443/callback'],
      ['another port', 'https://app.example.com:8443/callback'],
      ['another scheme', 'http://app.example.com/callback'],
      ['a javascript URI', 'javascript:alert(1)'],
      ['a data URI', 'data:text/html,hi'],
      ['userinfo', 'https://evil@app.example.com/callback'],
      ['userinfo that looks like the host', 'https://app.example.com@evil.example/callback'],
      ['userinfo that looks like the whole', 'https://app.example.com/callback@evil.example'],
      ['a subdomain', 'https://evil.app.example.com/callback'],
      ['a longer host', 'https://app.example.com.evil.example/callback'],
      ['path traversal', 'https://app.example.com/callback/../evil'],
      ['encoded path traversal', 'https://app.example.com/callback/%2e%2e/evil'],
      ['an encoded character', 'https://app.example.com/c%61llback'],
      ['a backslash', 'https://app.example.com\\callback'],
      ['a backslash and a host', 'https://evil.example\\@app.example.com/callback'],
      ['a further query', 'https://app.example.com/callback?x=1'],
      ['an empty query', 'https://app.example.com/callback?'],
      ['a fragment', 'https://app.example.com/callback#x'],
      ['an empty fragment', 'https://app.example.com/callback#'],
      ['white space', ' https://app.example.com/callback'],
      ['a line break', 'https://app.example.com/callback\r\nSet-Cookie: a=b'],
      ['a null character', 'https://app.example.com/callback\0'],
      ['a relative one', '/callback'],
      ['a scheme-relative one', '//app.example.com/callback'],
      ['one that is too long', `https://app.example.com/callback?${'x'.repeat(2048)}`],
      ['one that looks the same', 'https://app.еxample.com/callback'],
    ])('%s', async (_, redirect_uri) => {
      await refusedToTheUser(await visitor.get('/oauth2/authorize', { ...REQUEST, redirect_uri }));
    });

    it.each([
      ['any port', 'http://127.0.0.1:51004/callback'],
      ['no port', 'http://127.0.0.1/callback'],
      ['any port instead of the registered one', 'http://127.0.0.1:1/fixed?x=1'],
      ['any port of IPv6', 'http://[::1]:61023/callback'],
      ['localhost to the letter', 'http://localhost:4000/callback'],
      ['a private-use scheme', 'com.example.app:/callback'],
    ])('loopback and native: takes %s (RFC 8252 §7)', async (_, redirect_uri) => {
      const response = await visitor.get('/oauth2/authorize', {
        ...REQUEST,
        client_id: 'native',
        redirect_uri,
        prompt: 'none',
      });
      expect(response.status).toBe(303);
      expect(
        response.headers['location']!.startsWith(`${redirect_uri}${redirect_uri.includes('?') ? '&' : '?'}error=`),
      ).toBe(true);
    });

    it.each([
      ['another path', 'http://127.0.0.1:51004/other'],
      ['another query', 'http://127.0.0.1:51004/fixed?x=2'],
      ['another loopback address', 'http://127.0.0.2:51004/callback'],
      ['another spelling', 'http://127.1:51004/callback'],
      ['a number', 'http://2130706433:51004/callback'],
      ['https', 'https://127.0.0.1:51004/callback'],
      ['a port that is none', 'http://127.0.0.1:99999/callback'],
      ['a port that is no number', 'http://127.0.0.1:80a/callback'],
      ['an empty port', 'http://127.0.0.1:/callback'],
      ['userinfo', 'http://127.0.0.1:80@evil.example/callback'],
      ['a longer host', 'http://127.0.0.1.evil.example/callback'],
      ['another port of localhost', 'http://localhost:4001/callback'],
      ['another spelling of IPv6', 'http://[0:0:0:0:0:0:0:1]:61023/callback'],
      ['another spelling of a private-use scheme', 'com.example.app://callback'],
    ])('loopback and native: refuses %s', async (_, redirect_uri) => {
      await refusedToTheUser(await visitor.get('/oauth2/authorize', { ...REQUEST, client_id: 'native', redirect_uri }));
    });

    it('frees the port of nobody but a loopback address', async () => {
      const redirect_uri = 'https://app.example.com:1/callback';
      await refusedToTheUser(await visitor.get('/oauth2/authorize', { ...REQUEST, redirect_uri }));
    });

    it('always asks about an app that could be any app on the device (RFC 8252 §8.6)', async () => {
      const native = { client_id: 'native', redirect_uri: 'http://127.0.0.1:51004/callback' };
      const consent = await visitor.signIn(await visitor.authorize(native));
      expect(answerOf(await visitor.submit(consent, { decision: 'allow' }))).toHaveProperty('code');
      expect(titleOf(await visitor.authorize(native))).toBe('Allow access?');
      expect(answerOf(await visitor.authorize({ ...native, prompt: 'none' }))).toMatchObject({
        error: 'consent_required',
      });
    });

    it('binds the code to the very redirect_uri, port included', async () => {
      const redirect_uri = 'http://127.0.0.1:51004/callback';
      const consent = await visitor.signIn(await visitor.authorize({ client_id: 'native', redirect_uri }));
      const { code } = answerOf(await visitor.submit(consent, { decision: 'allow' }));
      const wrong = await redeem(code!, { client_id: 'native', redirect_uri: 'http://127.0.0.1/callback' });
      expect(wrong.body).toMatchObject({ error: 'invalid_grant', details: [{ reason: 'REDIRECT_URI_MISMATCH' }, {}] });
      expect((await redeem(code!, { client_id: 'native', redirect_uri })).status).toBe(200);
    });
  });

  describe('the client must be proven too', () => {
    it.each<[string, Fields, number]>([
      ['no client_id', { client_id: undefined }, 400],
      ['an empty client_id', { client_id: '' }, 400],
      ['two client_ids', { client_id: ['app', 'app'] }, 400],
      ['an unknown client', { client_id: 'nobody' }, 401],
      ['a client_id that is too long', { client_id: 'x'.repeat(129) }, 401],
      ['no redirect_uri', { redirect_uri: undefined }, 400],
      ['two redirect_uris', { redirect_uri: [CALLBACK, 'https://evil.example/'] }, 400],
    ])('%s', async (_, fields, status) => {
      await refusedToTheUser(await visitor.get('/oauth2/authorize', { ...REQUEST, ...fields }), status);
      await refusedToTheUser(await visitor.post('/oauth2/authorize', { ...REQUEST, ...fields }), status);
    });

    it('a disabled client', async () => {
      await service.client({ id: 'gone' });
      await service.app.get(ClientService).setDisabled('gone', true);
      await refusedToTheUser(await visitor.get('/oauth2/authorize', { ...REQUEST, client_id: 'gone' }), 401);
    });

    it('a client that is disabled while the user takes their time', async () => {
      await service.client({ id: 'going' });
      const page = await visitor.authorize({ client_id: 'going' });
      await service.app.get(ClientService).setDisabled('going', true);
      await refusedToTheUser(await visitor.signIn(page), 401);
    });
  });

  describe('every other error goes to the client (RFC 6749 §4.1.2.1)', () => {
    it.each<[string, Fields, string, string]>([
      [
        'no response_type',
        { response_type: undefined },
        'invalid_request',
        'A required parameter is missing. response_type is required.',
      ],
      [
        'response_type=token',
        { response_type: 'token' },
        'unsupported_response_type',
        'This response_type is not supported; code is.',
      ],
      [
        'response_type=id_token',
        { response_type: 'id_token' },
        'unsupported_response_type',
        'This response_type is not supported; code is.',
      ],
      [
        'response_type=code id_token',
        { response_type: 'code id_token' },
        'unsupported_response_type',
        'This response_type is not supported; code is.',
      ],
      [
        'response_type=CODE',
        { response_type: 'CODE' },
        'unsupported_response_type',
        'This response_type is not supported; code is.',
      ],
      [
        'two response_types',
        { response_type: ['code', 'code'] },
        'invalid_request',
        'A parameter was sent more than once. response_type must be sent once.',
      ],
      [
        'a client without the grant',
        { client_id: 'no-codes' },
        'unauthorized_client',
        'The client may not use this grant_type.',
      ],
      [
        'a scope that is not allowed',
        { scope: 'openid root' },
        'invalid_scope',
        'This scope is unknown or not allowed to the client.',
      ],
      [
        'a malformed scope',
        { scope: 'openid  profile' },
        'invalid_scope',
        'The scope is malformed. scope must be words separated by single spaces.',
      ],
      [
        'two scopes',
        { scope: ['openid', 'profile'] },
        'invalid_request',
        'A parameter was sent more than once. scope must be sent once.',
      ],
      [
        'response_mode=fragment',
        { response_mode: 'fragment' },
        'invalid_request',
        'A parameter is malformed. response_mode must be of query, form_post.',
      ],
      [
        'response_mode=web_message',
        { response_mode: 'web_message' },
        'invalid_request',
        'A parameter is malformed. response_mode must be of query, form_post.',
      ],
      [
        'no code_challenge of a public client (RFC 9700 §2.1.1)',
        { code_challenge: undefined, code_challenge_method: undefined },
        'invalid_request',
        'A required parameter is missing. code_challenge is required for public clients.',
      ],
      [
        'code_challenge_method without a challenge',
        { code_challenge: undefined },
        'invalid_request',
        'A required parameter is missing. code_challenge is required with code_challenge_method.',
      ],
      [
        'code_challenge_method=plain',
        { code_challenge_method: 'plain' },
        'invalid_request',
        'A parameter is malformed. code_challenge_method must be S256.',
      ],
      [
        'no code_challenge_method, which means plain',
        { code_challenge_method: undefined },
        'invalid_request',
        'A parameter is malformed. code_challenge_method must be S256.',
      ],
      [
        'code_challenge_method=s256',
        { code_challenge_method: 's256' },
        'invalid_request',
        'A parameter is malformed. code_challenge_method must be S256.',
      ],
      [
        'a short code_challenge',
        { code_challenge: CHALLENGE.slice(1) },
        'invalid_request',
        'A parameter is malformed. code_challenge must be the base64url of a SHA-256.',
      ],
      [
        'a code_challenge with padding',
        { code_challenge: `${CHALLENGE}=` },
        'invalid_request',
        'A parameter is malformed. code_challenge must be the base64url of a SHA-256.',
      ],
      [
        'two code_challenges',
        { code_challenge: [CHALLENGE, CHALLENGE] },
        'invalid_request',
        'A parameter was sent more than once. code_challenge must be sent once.',
      ],
      [
        'an unknown prompt',
        { prompt: 'create' },
        'invalid_request',
        'A parameter is malformed. prompt must be of none, login, consent, select_account.',
      ],
      [
        'prompt=none with another',
        { prompt: 'none login' },
        'invalid_request',
        'A parameter is malformed. prompt must be none alone.',
      ],
      [
        'a negative max_age',
        { max_age: '-1' },
        'invalid_request',
        'A parameter is malformed. max_age must be a whole number of seconds.',
      ],
      [
        'a fractional max_age',
        { max_age: '1.5' },
        'invalid_request',
        'A parameter is malformed. max_age must be a whole number of seconds.',
      ],
      [
        'a nonce that is too long',
        { nonce: 'n'.repeat(513) },
        'invalid_request',
        'A parameter is too long. nonce must be at most 512 characters.',
      ],
      [
        'a nonce with a control character',
        { nonce: 'a\nb' },
        'invalid_request',
        'A parameter is malformed. nonce must not contain control characters.',
      ],
      [
        'a login_hint that is too long',
        { login_hint: 'x'.repeat(257) },
        'invalid_request',
        'A parameter is too long. login_hint must be at most 256 characters.',
      ],
      [
        'a request object (OpenID Connect Core §6.1)',
        { request: 'eyJ' },
        'request_not_supported',
        'Request objects are not supported; push the request instead.',
      ],
      [
        'a request_uri of elsewhere (§6.2)',
        { request_uri: 'https://app.example.com/r' },
        'request_uri_not_supported',
        'Only a request_uri of a pushed request is supported.',
      ],
      [
        'registration (§7.2.1)',
        { registration: '{}' },
        'registration_not_supported',
        'The registration parameter is not supported.',
      ],
    ])('%s', async (_, fields, error, error_description) => {
      const expected = { redirect_uri: CALLBACK, error, error_description, state: 'st-1', iss: ISSUER };
      expect(answerOf(await visitor.get('/oauth2/authorize', { ...REQUEST, ...fields }))).toEqual(expected);
      expect(answerOf(await visitor.post('/oauth2/authorize', { ...REQUEST, ...fields }))).toEqual(expected);
      // RFC 6749 appendix A.7, A.8: what may stand in these two
      expect(`${error} ${error_description}`).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    });

    it.each<[string, string | string[]]>([
      ['two states', ['a', 'b']],
      ['a state that is too long', 's'.repeat(2049)],
      ['a state with a line break', 'a\r\nb'],
    ])('%s: without a state', async (_, state) => {
      const answer = answerOf(await visitor.get('/oauth2/authorize', { ...REQUEST, state }));
      expect(answer).toMatchObject({ redirect_uri: CALLBACK, error: 'invalid_request', iss: ISSUER });
      expect(answer).not.toHaveProperty('state');
    });

    it('ignores parameters that it does not know (RFC 6749 §3.1)', async () => {
      await signedIn();
      expect(
        answerOf(await visitor.authorize({ x: ['1', '2'], claims: '{', acr_values: '1', display: 'wap' })),
      ).toHaveProperty('code');
    });

    it('answers other methods with 405', async () => {
      const { status, headers } = await fetch(`${service.url}/oauth2/authorize`, { method: 'PUT' });
      expect([status, headers.get('allow')]).toEqual([405, 'GET, POST']);
    });
  });

  describe('PKCE at the token endpoint (RFC 7636 §4.6, RFC 9700 §4.8)', () => {
    it.each<[string, object]>([
      ['another verifier', { code_verifier: `${VERIFIER.slice(1)}x` }],
      ['no verifier', { code_verifier: undefined }],
      ['the challenge itself', { code_verifier: CHALLENGE }],
    ])('refuses %s', async (_, more) => {
      const { code } = answerOf(await signedIn());
      expect((await redeem(code!, more)).body).toMatchObject({ error: 'invalid_grant' });
      expect((await redeem(code!)).status).toBe(200); // and it is not used up by that
    });

    it('refuses a verifier where the request had no challenge: a downgrade', async () => {
      const backend = await service.client({ id: 'plain', public: false, first_party: true });
      const request = { client_id: 'plain', code_challenge: undefined, code_challenge_method: undefined };
      const { code } = answerOf(await visitor.signIn(await visitor.authorize(request)));
      expect((await redeem(code!, backend)).body).toMatchObject({ error: 'invalid_grant' });
      expect((await redeem(code!, { ...backend, code_verifier: undefined })).status).toBe(200);
    });
  });

  describe('tickets: a request on its way through the pages', () => {
    it('cannot be changed', async () => {
      const page = await visitor.authorize();
      const { ticket } = formOf(page).fields;
      for (const changed of [
        undefined,
        '',
        'x',
        ticket!.slice(0, -2),
        `${ticket!.startsWith('A') ? 'B' : 'A'}${ticket!.slice(1)}`,
      ]) {
        await refusedToTheUser(await visitor.get('/oauth2/authorize/continue', { ticket: changed }));
        await refusedToTheUser(
          await visitor.submit(page, { ticket: changed, username: 'ada', password: 'correct horse' }),
        );
      }
    });

    it('are good for an hour, and for a new start until a day after that', async () => {
      const page = await visitor.authorize();
      service.clock.advance(3600 + 86_399);
      expect(answerOf(await signedIn(await visitor.follow(await visitor.signIn(page))))).toHaveProperty('code');
      service.clock.advance(1);
      await refusedToTheUser(await visitor.signIn(page));
    });

    it('of signing out authorize nothing', async () => {
      await signedIn();
      const { ticket } = formOf(await visitor.get('/oauth2/logout')).fields;
      await refusedToTheUser(await visitor.get('/oauth2/authorize/continue', { ticket }));
    });
  });

  it('gives no code for a user who is disabled, or whose password changed, since they signed in', async () => {
    await signedIn();
    service.clock.advance(1);
    await service.app.get(UserService).setPassword(sub, 'correct horse');
    expect(titleOf(await visitor.authorize())).toBe('Sign in');
    const rows = await service.sql<{ authenticated_at: number }>('SELECT * FROM auth_browser_session WHERE sub = ?', [
      sub,
    ]);
    expect(rows.filter((row) => row.authenticated_at >= service.clock.now())).toEqual([]);
  });

  /** Signs ada in and lets her agree, as far as either is asked. */
  async function signedIn(page?: Awaited<ReturnType<Visitor['get']>>) {
    const first = page ?? (await visitor.authorize());
    const second = first.status === 200 && titleOf(first) === 'Sign in' ? await visitor.signIn(first) : first;
    return second.status === 200 ? visitor.submit(second, { decision: 'allow' }) : second;
  }

  async function refusedToTheUser(response: Awaited<ReturnType<Visitor['get']>>, status = 400) {
    expect([response.status, titleOf(response)]).toEqual([status, 'This did not work']);
    expect(response.headers['location']).toBeUndefined();
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(response.text).not.toMatch(/evil|st-1/);
  }
});
