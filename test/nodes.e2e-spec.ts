import request from 'supertest';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { KeyService } from '../src/core/keys/key.service.js';
import { SignOutService } from '../src/core/sessions/sign-out.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { numbers } from './databases.js';
import { dpopProof, keyPair } from './jwts.js';
import { ISSUER, type Service, startService } from './service.js';
import { CALLBACK, CHALLENGE, VERIFIER } from './visitor.js';

const NO_LIMITS = { limitIp: false, limitClient: false, limitAccount: false } as const;
const ADA = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };

describe('two nodes on one database', () => {
  let one: Service;
  let two: Service;
  let sub: string;
  let backend: { client_id: string; client_secret?: string };
  /** Both of them, over and over. */
  const nodes = (n: number) => Array.from({ length: n }, (_, i) => (i % 2 === 0 ? one : two));

  beforeAll(async () => {
    one = await startService({ auth: { ...NO_LIMITS, maxDevices: 0 } });
    two = await startService({ auth: NO_LIMITS, settings: { databaseUrl: one.databaseUrl } });
    await one.client({ id: 'app' });
    backend = await one.client({ id: 'backend', public: false });
    sub = await one.user('ada', 'correct horse');
  });
  afterAll(async () => {
    await two.close();
    await one.close();
  });

  const signIn = async (at = one) => (await at.token(ADA)).body as { access_token: string; refresh_token: string };
  const refresh = (at: Service, refresh_token: string) =>
    at.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
  const introspect = async (at: Service, token: string) =>
    (
      await request(at.url)
        .post('/oauth2/introspect')
        .type('form')
        .send({ ...backend, token })
    ).body as object;

  it('50 parallel refreshes of one token, on both, get one and the same successor', async () => {
    const { refresh_token } = await signIn();
    const answers = await Promise.all(nodes(50).map((at) => refresh(at, refresh_token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    const successors = new Set(answers.map(({ body }) => body.refresh_token as string));
    expect(successors.size).toBe(1);
    expect((await refresh(two, [...successors][0]!)).status).toBe(200);
  });

  it('a code is redeemed once, whichever node is first', async () => {
    const code = await one.app.get(AuthorizationCodeService).issue({
      clientId: 'app',
      sub,
      scope: 'openid',
      redirectUri: CALLBACK,
      codeChallenge: CHALLENGE,
    });
    const body = { client_id: 'app', grant_type: 'authorization_code', code, redirect_uri: CALLBACK };
    const answers = await Promise.all(nodes(10).map((at) => at.token({ ...body, code_verifier: VERIFIER })));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(new Set(answers.map(({ body: { error } }) => error as string | undefined))).toContain('invalid_grant');
    // RFC 6749 §4.1.2: a second use ends what the first one gave
    const first = answers.find(({ status }) => status === 200);
    if (first) expect((await refresh(two, first.body.refresh_token as string)).body.error).toBe('invalid_grant');
  });

  it('a device code is redeemed once, whichever node is first', async () => {
    const devices = one.app.get(DeviceAuthorizationService);
    const { client } = (await one.app.get(ClientService).find('app'))!;
    const { device_code, user_code } = await devices.start(client, 'openid');
    await two.app.get(DeviceAuthorizationService).approve(user_code, sub);
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
    const answers = await Promise.all(nodes(6).map((at) => at.token({ client_id: 'app', grant_type, device_code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('a revoke on one counts on the other at its next call of what asks the database', async () => {
    const { access_token, refresh_token } = await signIn();
    expect(await introspect(two, access_token)).toMatchObject({ active: true });
    await request(one.url).post('/oauth2/revoke').type('form').send({ client_id: 'app', token: refresh_token });
    expect(await introspect(two, access_token)).toEqual({ active: false });
    expect((await refresh(two, refresh_token)).body.error).toBe('invalid_grant');
  });

  it('a refresh and a revoke that meet end in a session that is over', async () => {
    for (let round = 0; round < 10; round++) {
      const { refresh_token } = await signIn();
      const [refreshed] = await Promise.all([
        refresh(two, refresh_token),
        request(one.url).post('/oauth2/revoke').type('form').send({ client_id: 'app', token: refresh_token }),
      ]);
      const last = refreshed.status === 200 ? (refreshed.body.refresh_token as string) : refresh_token;
      expect((await refresh(two, last)).body.error).toBe('invalid_grant');
    }
  });

  it('a user who is disabled on one is let in by none, at once where a session is opened, within 2 s where it caches', async () => {
    const bob = await one.user('bob', 'correct horse');
    const at = async (node: Service) => (await node.token({ ...ADA, username: 'bob' })).status;
    const { access_token } = (await two.token({ ...ADA, username: 'bob' })).body as { access_token: string };
    await introspect(two, access_token); // who he is, is cached there now
    await one.app.get(UserService).setDisabled(bob, true);
    expect(await at(two)).toBe(403);
    two.clock.advance(2.001);
    expect(await introspect(two, access_token)).toEqual({ active: false });
    one.clock.advance(2.001);
  });

  it('what was issued by a node whose clock is behind ends at once when another one ends it', async () => {
    two.clock.step(-10);
    const issued = { clientId: 'app', sub, scope: 'openid', redirectUri: CALLBACK, codeChallenge: CHALLENGE };
    const code = await two.app.get(AuthorizationCodeService).issue(issued);
    const { access_token, refresh_token } = await signIn(two);
    await one.app.get(SignOutService).end({ clientId: 'app' });
    const redeemed = await two.token({
      ...{ client_id: 'app', grant_type: 'authorization_code', code },
      ...{ redirect_uri: CALLBACK, code_verifier: VERIFIER },
    });
    expect(redeemed.body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(two, refresh_token)).body.error).toBe('invalid_grant');
    expect(await introspect(two, access_token)).toEqual({ active: false });
    const secret = await one.app.get(ClientService).rotateSecret('backend', 0);
    two.clock.advance(2.001);
    expect((await two.token({ ...backend, grant_type: 'client_credentials' })).status).toBe(401);
    backend = { client_id: 'backend', client_secret: secret };
    expect((await two.token({ ...backend, grant_type: 'client_credentials' })).status).toBe(200);
    two.clock.step(10);
    one.clock.advance(2.001);
  });

  it('a DPoP proof is taken once (RFC 9449 §11.1), whichever node is first', async () => {
    const key = await keyPair();
    const DPoP = await dpopProof(key, one.clock.now(), `${ISSUER}/auth/v1/token`);
    const answers = await Promise.all(nodes(6).map((at) => at.token(ADA, { DPoP })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('a new key is published by both before one of them signs with it', async () => {
    const kids = async (at: Service) =>
      ((await request(at.url).get('/auth/v1/certs')).body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    const { kid } = await one.app.get(KeyService).rotate();
    expect(await kids(one)).toContain(kid);
    one.clock.advance(31);
    two.clock.advance(31);
    expect(await kids(two)).toContain(kid);
    const { access_token } = await signIn(one);
    const header = JSON.parse(Buffer.from(access_token.split('.')[0]!, 'base64url').toString()) as { kid: string };
    expect(header.kid).not.toBe(kid);
  });

  it('both sweep at once: what has expired goes, and nothing else', async () => {
    const { refresh_token } = await signIn();
    const expired = one.clock.now() - 1;
    await one.sql(
      `INSERT INTO auth_session (id, sub, client_id, scope, generation, authenticated_at, created_at, expires_at)
       ${numbers(900)} SELECT CONCAT('old', i), 'u', 'app', '', 0, 0, 0, ? FROM n`,
      [expired],
    );
    const removed = await Promise.all([one, two].map((at) => at.app.get(Sweeper).sweep()));
    expect(removed[0]! + removed[1]!).toBeGreaterThanOrEqual(900);
    expect(await one.sql("SELECT id FROM auth_session WHERE sub = 'u'")).toEqual([]);
    expect((await refresh(two, refresh_token)).status).toBe(200);
  });
});
