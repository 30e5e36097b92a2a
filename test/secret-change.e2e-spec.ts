import request, { type Response } from 'supertest';
import { SecretUses } from '../src/base/crypto/secret-uses.js';
import { ServiceSecret } from '../src/base/crypto/service-secret.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { KeyService } from '../src/core/keys/key.service.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './cloudbase/sdk.js';
import { redeem, signedIn, signIn as signInAt } from './fixtures.js';
import { dpopProof, type KeyPair, keyPair } from './jwts.js';
import { expectError, ISSUER, type Service, startService } from './service.js';
import { answerOf, REQUEST, titleOf, Visitor } from './visitor.js';

const OLD = 'the-old-service-secret-0123456789abcdef';
const NEW = 'the-new-service-secret-fedcba9876543210';

type Node = 'old' | 'step 1' | 'step 2' | 'new';

/** What a node is set to before, in and after the change. */
const SETTINGS: Record<Node, { secret: string; previousSecret?: string }> = {
  old: { secret: OLD },
  'step 1': { secret: OLD, previousSecret: NEW },
  'step 2': { secret: NEW, previousSecret: OLD },
  new: { secret: NEW },
};

/** Which nodes are side by side while a step is rolled out. */
const ROLLOUTS: [Node, Node][] = [
  ['old', 'step 1'],
  ['step 1', 'old'],
  ['step 1', 'step 2'],
  ['step 2', 'step 1'],
  ['step 2', 'new'],
  ['new', 'step 2'],
];

const UNLIMITED = { limitIp: false, limitAccount: false } as const;
const start = (node: Node, databaseUrl?: string): Promise<Service> =>
  startService({
    auth: { ...UNLIMITED, ...SETTINGS[node] },
    settings: { trustProxy: 1, ...(databaseUrl === undefined ? {} : { databaseUrl }) },
  });

async function prepare(service: Service): Promise<void> {
  await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS, first_party: true });
  await service.client({ id: 'tv' });
  await service.user('ada', 'correct horse');
}

const refreshAt = (service: Service, refresh_token: string, headers: Record<string, string> = {}) =>
  service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token }, headers);
const post = (service: Service, path: string, body: object) =>
  request(service.url).post(`/auth/v1${path}?client_id=app`).send(body);
const REUSED = { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' } as const;

describe('while the service secret is changed', () => {
  const nodes = {} as Record<Node, Service>;
  let all: Service[];
  let key: KeyPair;

  beforeAll(async () => {
    nodes.old = await start('old');
    await prepare(nodes.old);
    for (const node of ['step 1', 'step 2', 'new'] as const) nodes[node] = await start(node, nodes.old.databaseUrl);
    all = Object.values(nodes);
    key = await keyPair();
  });
  afterAll(async () => {
    for (const node of all.reverse()) await node.close();
  });

  const advance = (seconds: number) => all.forEach(({ clock }) => clock.advance(seconds));
  // visitors take their time, each at one node
  beforeEach(() => {
    const latest = Math.max(...all.map(({ clock }) => clock.now()));
    for (const { clock } of all) clock.advance((latest - clock.now()) / 1000);
  });
  /** The same browser, whose next request another node gets. */
  const moved = (visitor: Visitor, to: Service): Visitor => {
    const there = new Visitor(to.url);
    for (const cookie of visitor.cookies) there.cookies.set(...cookie);
    return there;
  };

  describe.each(ROLLOUTS)('what a node of "%s" has made is good at one of "%s":', (from, to) => {
    let maker: Service;
    let taker: Service;
    beforeAll(() => ([maker, taker] = [nodes[from], nodes[to]]));

    const signIn = async () => (await signInAt(maker)).refresh_token;
    const next = async (at: Service, token: string, headers?: Record<string, string>): Promise<string> => {
      const { status, body } = await refreshAt(at, token, headers);
      expect([status, body]).toEqual([
        200,
        signedIn({
          sub: expect.any(String),
          scope: 'openid profile',
          ...(headers?.['DPoP'] && { token_type: 'DPoP' }),
        }),
      ]);
      return (body as { refresh_token: string }).refresh_token;
    };

    it('a refresh token, to and fro', async () => {
      let token = await signIn();
      for (const node of [taker, maker, maker, taker]) token = await next(node, token);
    });

    it('a refresh token that is sent once more, to either node, and no session ends', async () => {
      const token = await signIn();
      const successor = await next(maker, token);
      const repeated = await next(taker, token);
      advance(1);
      await next(maker, repeated);
      await next(taker, successor);
    });

    it('a refresh token that was used up, as theft', async () => {
      const token = await signIn();
      const living = await next(maker, token);
      advance(11);
      expectError(await refreshAt(taker, token), REUSED);
      expectError(await refreshAt(taker, living), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
    });

    it('a refresh token that is bound to a key, with a proof of it alone', async () => {
      const proof = () => dpopProof(key, maker.clock.now(), `${ISSUER}/auth/v1/token`);
      const { refresh_token } = await signInAt(maker, {}, { DPoP: await proof() });
      expectError(await refreshAt(taker, refresh_token), { error: 'invalid_dpop_proof', reason: 'DPOP_PROOF_MISSING' });
      await next(taker, refresh_token, { DPoP: await proof() });
    });

    it('the network of a rotation: who stays where they are are not two', async () => {
      for (const { log } of all) log.length = 0;
      let token = await signIn();
      for (let round = 0; round < 3; round++) {
        const home = { 'x-forwarded-for': '203.0.113.7' };
        const successor = await next(maker, token, home);
        await next(taker, token, home);
        token = successor;
        advance(60);
      }
      const events = all.flatMap(({ log }) => log.map((line) => line['event']));
      expect(events).not.toContain('refresh_token_repeated_elsewhere');
    });

    it('the networks of two who share a token in step, who lose it at the second round', async () => {
      const token = await signIn();
      const [home, train] = ['203.0.113.7', '198.51.100.20'].map((ip) => ({ 'x-forwarded-for': ip }));
      const successor = await next(maker, token, home);
      await next(taker, token, train);
      advance(60);
      await next(maker, successor, home);
      expectError(await refreshAt(taker, successor, train), REUSED);
    });

    it('an access token', async () => {
      const { access_token } = await signInAt(maker);
      const { status, body } = await request(taker.url).get('/auth/v1/user/me').auth(access_token, { type: 'bearer' });
      expect([status, body.username]).toEqual([200, 'ada']);
    });

    it('the secret of a client', async () => {
      const id = `backend ${from} ${to}`.replaceAll(' ', '-');
      const client = await maker.client({ id, public: false });
      for (const node of [taker, maker, taker]) {
        const { status, body } = await node.token({ ...client, grant_type: 'client_credentials' });
        expect([status, body]).toEqual([
          200,
          {
            token_type: 'Bearer',
            access_token: expect.any(String),
            expires_in: 7200,
            scope: 'profile',
            sub: id,
            groups: [],
            need_weda_resource: false,
          },
        ]);
        advance(3); // past what is cached
      }
      expectError(await taker.token({ ...client, client_secret: `${client.client_secret}x` }), {
        error: 'unauthorized_client',
        reason: 'CLIENT_SECRET_WRONG',
      });
    });

    it('a code, and the browser that it came from', async () => {
      const visitor = new Visitor(maker.url);
      const { code } = answerOf(await visitor.signIn(await visitor.authorize()));
      expect((await redeem(taker, code!)).status).toBe(200);
      const there = moved(visitor, taker);
      expect(answerOf(await there.authorize({ prompt: 'none' }))).toMatchObject({ code: expect.any(String) });
      expect(answerOf(await moved(there, maker).authorize({ prompt: 'none' }))).toMatchObject({
        code: expect.any(String),
      });
    });

    it('a page on its way: its form, its ticket, and a ticket that is too long for an address', async () => {
      for (const more of [{}, { state: 'x'.repeat(2000) }]) {
        const visitor = new Visitor(maker.url);
        const page = await visitor.authorize(more);
        expect(titleOf(page)).toBe('Sign in');
        expect(answerOf(await moved(visitor, taker).signIn(page))).toMatchObject({ code: expect.any(String) });
      }
      const long = await new Visitor(maker.url).get('/oauth2/authorize', { ...REQUEST, state: 'x'.repeat(2000) });
      expect(titleOf(await new Visitor(taker.url).get(long.headers['location']!))).toBe('Sign in');
    });

    it('a pushed request, once', async () => {
      const { body } = await request(maker.url)
        .post('/oauth2/par')
        .type('form')
        .send({ ...REQUEST, prompt: 'none' });
      const bring = () =>
        new Visitor(taker.url).get('/oauth2/authorize', { client_id: 'app', request_uri: body.request_uri as string });
      expect(answerOf(await bring())).toMatchObject({ error: 'login_required' });
      expect((await bring()).status).toBe(400);
    });

    it('a device code and its user code', async () => {
      const { body: codes } = await request(maker.url)
        .post('/oauth2/device_authorization')
        .type('form')
        .send({ client_id: 'tv' });
      const visitor = new Visitor(maker.url);
      await visitor.signIn(await visitor.authorize());
      const there = moved(visitor, taker);
      const page = await there.follow(await there.get('/device', { user_code: codes.user_code as string }));
      const confirm =
        titleOf(page) === 'Connect a device' ? await there.submit(page, { user_code: codes.user_code }) : page;
      expect(titleOf(await there.submit(confirm, { decision: 'allow' }))).toBe('Device connected');
      const poll = { client_id: 'tv', grant_type: 'urn:ietf:params:oauth:grant-type:device_code' };
      expect((await taker.token({ ...poll, device_code: codes.device_code as string })).status).toBe(200);
    });

    it('a verification code, its token, and how many were sent', async () => {
      const email = `${from}-${to}@example.com`.replaceAll(' ', '');
      const send = (at: Service) => post(at, '/verification', { email });
      const { verification_id } = (await send(maker)).body;
      const limited = { error: 'resource_exhausted', reason: 'LIMIT_VERIFICATION', retryAfter: 60 } as const;
      expectError(await send(taker), limited);
      expectError(await send(maker), limited);
      const codes = () => all.flatMap((node) => codesSentTo(node, email)); // the latest node has the log of all
      while (codes().length === 0) await new Promise(setImmediate); // it leaves after the answer
      const verification_code = codes()[0];
      const sent = await post(taker, '/verification/verify', { verification_id, verification_code });
      expect(sent.body).toEqual({ verification_token: expect.any(String), expires_in: 600 });
      const signUp = { email, verification_token: sent.body.verification_token as string };
      expect((await post(maker, '/signup', signUp)).status).toBe(200);
    });

    it('a proof that a user has just given (sudo)', async () => {
      const { access_token } = await signInAt(maker);
      const as = (at: Service, method: 'post' | 'patch', path: string, body: object): Promise<Response> =>
        request(at.url)[method](`/auth/v1${path}`).auth(access_token, { type: 'bearer' }).send(body);
      const { sudo_token } = (await as(maker, 'post', '/user/sudo', { password: 'correct horse' })).body;
      const change = { sudo_token: sudo_token as string, new_password: 'correct horse' };
      expect((await as(taker, 'patch', '/user/password', change)).status).toBe(200);
    });
  });
});

describe('a change of the service secret, from its first step to its last', () => {
  const running: Service[] = [];
  const startNode = async (node: Node, databaseUrl?: string): Promise<Service> => {
    const service = await start(node, databaseUrl);
    if (running[0]) service.clock.advance((running[0].clock.now() - service.clock.now()) / 1000);
    running.push(service);
    return service;
  };
  const stop = async (service: Service) => {
    running.splice(running.indexOf(service), 1);
    await service.close();
  };
  afterEach(async () => {
    for (const service of running.splice(0).reverse()) await service.close();
  });
  const advance = (seconds: number) => running.forEach(({ clock }) => clock.advance(seconds));
  const status = (at: Service) => at.app.get(SecretUses).status();
  const secretRows = (at: Service) =>
    at.sql<{ client_id: string; hash: string; hashed_under: string }>('SELECT * FROM auth_client_secret');

  it('takes every session along that refreshes meanwhile, and only those', async () => {
    const before = await startNode('old');
    await prepare(before);
    let moving = (await signInAt(before)).refresh_token;
    const staying = (await signInAt(before)).refresh_token;
    for (const node of ['step 1', 'step 2', 'new'] as const) {
      const service = await startNode(node, before.databaseUrl);
      const { status, body } = await refreshAt(service, moving);
      expect([node, status]).toEqual([node, 200]);
      moving = body.refresh_token as string;
    }
    const refused = { error: 'invalid_grant', reason: 'REFRESH_TOKEN_INVALID' } as const;
    expectError(await refreshAt(running.at(-1)!, staying), refused);
    expect((await refreshAt(running.at(-1)!, moving)).status).toBe(200);
  });

  it('can be taken back from its second step', async () => {
    const first = await startNode('step 1');
    await prepare(first);
    const second = await startNode('step 2', first.databaseUrl);
    const { refresh_token } = await signInAt(second);
    await stop(second);
    const again = await startNode('step 1', first.databaseUrl);
    expect((await refreshAt(again, refresh_token)).status).toBe(200);
    expect((await status(again)).needs.map(({ what }) => what)).not.toContain('signing keys');
    const old = await startNode('old', first.databaseUrl); // it opens the signing keys
    expect((await signInAt(old)).access_token).toEqual(expect.any(String));
  });

  it('seals the signing keys anew, also one that an older node made meanwhile, and of several nodes at once', async () => {
    const first = await startNode('step 1');
    const [a, b] = await Promise.all([startNode('step 2', first.databaseUrl), startNode('step 2', first.databaseUrl)]);
    await stop(await startNode('new', first.databaseUrl));
    const { kid } = await first.app.get(KeyService).rotate();
    expect((await status(a)).needs).toContainEqual({ what: 'signing keys', count: 1, until: null, which: [kid] });
    await Promise.all([a, b].map((node) => node.app.get(Sweeper).sweep()));
    expect((await status(a)).needs.map(({ what }) => what)).not.toContain('signing keys');
    await expect(startNode('new', first.databaseUrl)).resolves.toBeDefined();
  });

  it("keeps a client's secret under the new one from its first use on, by one UPDATE of the very hash that was right", async () => {
    const first = await startNode('step 1');
    const client = await first.client({ id: 'backend', public: false });
    const idle = await first.client({ id: 'idle', public: false });
    const of = (id: string, rows: Awaited<ReturnType<typeof secretRows>>) => rows.find((row) => row.client_id === id)!;
    const before = of('backend', await secretRows(first));
    const second = await startNode('step 2', first.databaseUrl);
    const { id, previousId } = second.app.get(ServiceSecret);
    expect(before.hashed_under).toBe(previousId);
    const ask = (at: Service, who: object) => at.token({ ...who, grant_type: 'client_credentials' });
    await Promise.all(Array.from({ length: 8 }, () => ask(second, client)));
    const rows = await secretRows(second);
    const renewed = { ...before, hash: expect.not.stringContaining(before.hash), hashed_under: id };
    expect(of('backend', rows)).toEqual(renewed);
    expect(of('idle', rows).hashed_under).toBe(previousId);
    const last = await startNode('new', first.databaseUrl);
    expect((await ask(last, client)).status).toBe(200);
    expectError(await ask(last, idle), { error: 'unauthorized_client', reason: 'CLIENT_SECRET_WRONG' });
  });

  it('writes nothing at the authentication of a client where there is one secret alone', async () => {
    const service = await startNode('old');
    const client = await service.client({ id: 'backend', public: false });
    await service.sql('UPDATE auth_client_secret SET hashed_under = NULL');
    expect((await service.token({ ...client, grant_type: 'client_credentials' })).status).toBe(200);
    expect(await secretRows(service)).toEqual([expect.objectContaining({ hashed_under: null })]);
  });

  it('tells what still needs the old secret, until nothing does', async () => {
    const first = await startNode('step 1');
    await prepare(first);
    const client = await first.client({ id: 'backend', public: false });
    const old = await signInAt(first);
    const visitor = new Visitor(first.url);
    await visitor.signIn(await visitor.authorize());
    const began = first.clock.now();
    const second = await startNode('step 2', first.databaseUrl);
    advance(3600);
    await first.app.get(SecretUses).note(); // as it does every minute
    const changed = second.clock.now();
    const underWay = (until: number) => ({ what: 'pages, forms and codes', count: null, until });
    expect(await status(second)).toEqual({
      current_since: began,
      has_previous: true,
      previous_used_at: changed,
      // no signing key: they were sealed anew at the start
      needs: [
        { what: 'client secrets', count: 1, until: null, which: ['backend'] },
        { what: 'sessions', count: 1, until: began + 2_678_400_000 },
        { what: 'browsers signed in', count: 1, until: began + 1_209_600_000 },
        underWay(changed + 90_000_000),
      ],
    });

    advance(91);
    const there = new Visitor(second.url);
    for (const cookie of visitor.cookies) there.cookies.set(...cookie);
    await there.authorize({ prompt: 'none' });
    await second.token({ ...client, grant_type: 'client_credentials' });
    expect((await refreshAt(second, old.refresh_token)).status).toBe(200);
    expect((await status(second)).needs).toEqual([underWay(changed + 90_000 + 90_000_000)]);
    advance(90_000);
    expect(await status(second)).toEqual({
      current_since: began,
      has_previous: true,
      previous_used_at: changed,
      needs: [],
    });
  });

  it('does not think the old secret unused while a node goes on making things under it', async () => {
    const first = await startNode('step 1');
    await prepare(first);
    const second = await startNode('step 2', first.databaseUrl);
    advance(200_000);
    await first.app.get(SecretUses).note();
    await signInAt(first);
    expect(await status(second)).toMatchObject({
      previous_used_at: first.clock.now(),
      needs: expect.arrayContaining([expect.objectContaining({ what: 'sessions', count: 1 })]),
    });
  });

  it('counts from the first start with the new one where no start with the old one was noted', async () => {
    const first = await startNode('old');
    await prepare(first);
    await signInAt(first);
    await first.sql('DELETE FROM auth_secret_use');
    const second = await startNode('step 2', first.databaseUrl);
    expect(await status(second)).toMatchObject({
      previous_used_at: null,
      needs: expect.arrayContaining([expect.objectContaining({ what: 'sessions', count: 1 })]),
    });
  });
});
