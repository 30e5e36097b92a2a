import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Sweeper } from '../src/base/database/sweeper.js';
import { signIn } from './fixtures.js';
import { clocks, ISSUER, type Service, startService } from './service.js';
import { answerOf, type Fields, formOf, REQUEST, titleOf, Visitor } from './visitor.js';

/** nginx as it comes: 8 KiB for a line of the request (large_client_header_buffers), a page of memory for an answer's head. */
const REQUEST_HEAD = 8 * 1024;
const ANSWER_HEAD = 4 * 1024;

const LONG_URI = `https://app.example.com/${'c'.repeat(2048 - 24)}`;
const OTHERS = Array.from({ length: 80 }, (_, i) => `https://${'host-'.repeat(8)}${i}.example.com/callback`);
const AFTER = `https://app.example.com/${'o'.repeat(2048 - 24)}`;
const WORDS = Array.from({ length: 128 }, (_, i) => `s${String(i).padStart(6, '0')}`);

describe('an authorization request at its bounds', () => {
  let service: Service;
  let proxy: Server;
  let url: string;
  let idToken: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({
      id: 'app',
      scopes: ['openid', ...WORDS],
      default_scope: ['openid'],
      redirect_uris: [REQUEST.redirect_uri, ...OTHERS, LONG_URI],
      post_logout_redirect_uris: [AFTER],
    });
    await service.user('ada', 'correct horse');
    idToken = (await signIn(service, { scope: 'openid' })).id_token;
    proxy = await startProxy(service.url);
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    clocks.set(url, service.clock);
  });
  afterAll(async () => {
    proxy.close();
    proxy.closeAllConnections();
    await service.close();
  });

  const good = { ...REQUEST, scope: 'openid', prompt: 'consent' };
  const at = (uri: string, spare: number) => 's'.repeat(2560 - `${uri}?state=`.length + spare);
  /** Each parameter as long as it may be, in ASCII, as clients write it. */
  const BOUNDS: [string, () => Fields][] = [
    ['state', () => ({ state: 's'.repeat(2048) })],
    ['state that is encoded', () => ({ state: '&'.repeat(800) })],
    ['state, of many letters', () => ({ state: '中'.repeat(250) })],
    ['redirect_uri', () => ({ redirect_uri: LONG_URI })],
    ['redirect_uri and state', () => ({ redirect_uri: LONG_URI, state: at(LONG_URI, 0) })],
    ['nonce', () => ({ nonce: 'n'.repeat(512) })],
    ['nonce, of many letters', () => ({ nonce: '中'.repeat(512) })],
    ['scope', () => ({ scope: WORDS.join(' ').slice(0, 1023) })],
    ['login_hint', () => ({ login_hint: 'l'.repeat(256) })],
    ['ui_locales', () => ({ ui_locales: `en ${'x'.repeat(125)}` })],
    ['id_token_hint', () => ({ id_token_hint: idToken })],
    ['id_token_hint that nobody can read', () => ({ id_token_hint: 'h'.repeat(4096) })],
    [
      'all of them that fit into one line',
      () => ({
        redirect_uri: LONG_URI,
        state: at(LONG_URI, 0),
        nonce: 'n'.repeat(512),
        scope: WORDS.join(' ').slice(0, 1023),
        login_hint: 'l'.repeat(256),
        id_token_hint: 'h'.repeat(2500),
      }),
    ],
  ];

  it.each(BOUNDS)('is answered through a proxy like nginx, by GET and by POST: %s', async (_, more) => {
    for (const method of ['get', 'post'] as const) {
      const visitor = new Visitor(url);
      const query = { ...good, ...more() };
      const page = await visitor.follow(await visitor[method]('/oauth2/authorize', query));
      expect(titleOf(page)).toBe('Sign in');
      const consent = await visitor.signIn(page);
      expect(titleOf(consent)).toBe('Allow access?');
      const switched = /<a href="([^"]*authorize\/continue[^"]*)"/.exec(consent.text)![1]!;
      expect((await visitor.get(switched)).status).toBe(200);
      const answer = await visitor.submit(consent, { decision: 'allow' });
      expect(answerOf(answer)).toEqual({
        redirect_uri: query.redirect_uri,
        code: expect.any(String),
        state: query.state,
        iss: ISSUER,
      });
      expect(answer.headers['location']!.length).toBeLessThan(3072);
    }
  });

  it.each(BOUNDS)('is pushed, whatever its length (RFC 9126): %s', async (_, more) => {
    const visitor = new Visitor(url);
    const { body } = await visitor.post('/oauth2/par', { ...good, ...more() });
    const query = { client_id: 'app', request_uri: (body as { request_uri: string }).request_uri };
    const consent = await visitor.signIn(await visitor.follow(await visitor.get('/oauth2/authorize', query)));
    expect(answerOf(await visitor.submit(consent, { decision: 'allow' }))).toHaveProperty('code');
  });

  it('at all of its bounds at once goes through the pages by POST, with form_post for an answer of any length', async () => {
    const visitor = new Visitor(url);
    const page = await visitor.follow(
      await visitor.post('/oauth2/authorize', {
        ...good,
        response_mode: 'form_post',
        redirect_uri: LONG_URI,
        state: '中'.repeat(2048),
        nonce: '中'.repeat(512),
        scope: WORDS.join(' ').slice(0, 1023),
        login_hint: '中'.repeat(256),
        id_token_hint: 'h'.repeat(4096),
      }),
    );
    const answer = await visitor.submit(await visitor.signIn(page), { decision: 'allow' });
    expect(formOf(answer).fields).toMatchObject({ code: expect.any(String), state: '中'.repeat(2048) });
  });

  it.each([
    ['redirect_uri', 1],
    ['redirect_uri', 100],
  ])('beyond them is refused at its %s, without the state', async (_, spare) => {
    const visitor = new Visitor(url);
    const state = at(LONG_URI, spare);
    const answer = await visitor.get('/oauth2/authorize', { ...good, redirect_uri: LONG_URI, state });
    expect(answerOf(answer)).toEqual({
      redirect_uri: LONG_URI,
      error: 'invalid_request',
      error_description:
        'A parameter is too long. state must fit, encoded, into 2560 characters together with redirect_uri.',
      iss: ISSUER,
    });
  });

  it('signs out at the bounds as well, by GET and by POST', async () => {
    for (const method of ['get', 'post'] as const) {
      const query = { client_id: 'app', post_logout_redirect_uri: AFTER, state: at(AFTER, 0), ui_locales: 'en' };
      const visitor = new Visitor(url);
      await visitor.signIn(await visitor.get('/device'));
      const page = await visitor.follow(await visitor[method]('/oauth2/logout', query));
      const after = await visitor.submit(page);
      expect([after.status, after.headers['location']]).toEqual([303, `${AFTER}?state=${query.state}`]);
      expect((await visitor[method]('/oauth2/logout', { ...query, state: at(AFTER, 1) })).status).toBe(400);
    }
  });

  it('stores only what is too long for an address, and forgets it a day after its page', async () => {
    const rows = () => service.sql('SELECT * FROM auth_parked_ticket');
    service.clock.advance(86_400 + 3601);
    await service.app.get(Sweeper).sweep();
    expect(await rows()).toEqual([]);
    const visitor = new Visitor(url);
    await visitor.authorize(good);
    expect(await rows()).toEqual([]);
    const page = await visitor.get('/oauth2/authorize', { ...good, redirect_uri: LONG_URI });
    expect(await rows()).toHaveLength(1);
    expect(JSON.stringify(await rows())).not.toContain(page.headers['location']!.split('=')[1]);
    service.clock.advance(86_400 + 3600);
    expect((await visitor.get(page.headers['location']!)).status).toBe(400);
    await service.app.get(Sweeper).sweep();
    expect(await rows()).toEqual([]);
  });
});

/** A reverse proxy with the limits of nginx: a longer request is 431, and an upstream with a longer head is 502. */
function startProxy(target: string): Promise<Server> {
  const server = createServer({ maxHeaderSize: REQUEST_HEAD }, (request, response) => {
    const { method, headers, url } = request;
    const upstream = ask(new URL(url!, target), { method, headers, maxHeaderSize: ANSWER_HEAD }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', (error) => response.writeHead(502).end(`upstream: ${error.message}`));
    request.pipe(upstream);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
