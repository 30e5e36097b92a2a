import { type AuthorizationRequest, AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { UserService } from '../src/core/users/user.service.js';
import { redeem as redeemAt, signedIn } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';
import { CALLBACK, CHALLENGE, VERIFIER } from './visitor.js';

describe('authorization_code grant (RFC 6749 §4.1.3, RFC 7636)', () => {
  let service: Service;
  let codes: AuthorizationCodeService;
  let sub: string;
  let backend: { client_id: string; client_secret?: string };

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false } });
    codes = service.app.get(AuthorizationCodeService);
    await service.client({ id: 'app' });
    await service.client({ id: 'other' });
    await service.client({ id: 'no-codes', grant_types: ['password'] });
    backend = await service.client({ id: 'backend', public: false });
    sub = await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const request = (more: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
    clientId: 'app',
    sub,
    redirectUri: CALLBACK,
    codeChallenge: CHALLENGE,
    ...more,
  });
  const redeem = (code: string, more?: object) => redeemAt(service, code, more);
  const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString());

  it('answers with the same body as a sign-in, and the moment of the authentication', async () => {
    const authenticatedAt = service.clock.now() - 30_000;
    const { status, body } = await redeem(
      await codes.issue(request({ scope: 'openid', nonce: 'n-1', authenticatedAt })),
      { nonce: 'another' },
    );
    expect(body).toEqual(signedIn({ sub, scope: 'openid' }));
    expect(status).toBe(200);
    expect(claims(body.id_token)).toMatchObject({ nonce: 'n-1', auth_time: authenticatedAt / 1000 });
  });

  it('is not stored in the clear', async () => {
    const code = await codes.issue(request());
    const rows = await service.sql('SELECT * FROM auth_authorization_code');
    expect(JSON.stringify(rows)).not.toContain(code);
  });

  it('is used up by its first redemption, and a second one revokes what it gave (RFC 6749 §4.1.2)', async () => {
    const code = await codes.issue(request());
    const { body } = await redeem(code);
    expectError(await redeem(code), { error: 'invalid_grant', reason: 'CODE_REUSED' });
    expectError(
      await service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token: body.refresh_token }),
      { error: 'invalid_grant', reason: 'CODE_REUSED' },
    );
    expect(service.log).toContainEqual(expect.objectContaining({ event: 'authorization_code_reused' }));
  });

  it('lets exactly one of 20 parallel redemptions win, and leaves no session behind', async () => {
    const code = await codes.issue(request());
    const before = await service.sql<unknown>('SELECT * FROM auth_session');
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(code)));
    const statuses = answers.map((answer) => answer.status).sort((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array<number>(19).fill(400)]);
    for (const lost of answers.filter((answer) => answer.status === 400)) {
      expectError(lost, { error: 'invalid_grant', reason: 'CODE_REUSED' });
    }
    const after = await service.sql<{ revoked_at: number | null }>(
      'SELECT * FROM auth_session ORDER BY created_at, revoked_at IS NOT NULL',
    );
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-1)!.revoked_at).toBe(service.clock.now());
  });

  it('expires', async () => {
    const code = await codes.issue(request());
    service.clock.advance(60);
    expectError(await redeem(code), { error: 'invalid_grant', reason: 'CODE_EXPIRED' });
  });

  it.each<[string, object, string]>([
    ['another client', { client_id: 'other' }, 'CODE_INVALID'],
    ['another redirect_uri', { redirect_uri: 'https://app.example.com/callback/' }, 'REDIRECT_URI_MISMATCH'],
    ['no redirect_uri', { redirect_uri: undefined }, 'REDIRECT_URI_MISMATCH'],
    ['another verifier', { code_verifier: VERIFIER.replace('d', 'e') }, 'CODE_VERIFIER_MISMATCH'],
    ['no verifier', { code_verifier: undefined }, 'CODE_VERIFIER_MISMATCH'],
    ['the challenge as its verifier', { code_verifier: CHALLENGE }, 'CODE_VERIFIER_MISMATCH'],
  ])('refuses %s, and is not used up by that', async (_, wrong, reason) => {
    const code = await codes.issue(request());
    expectError(await redeem(code, wrong), { error: 'invalid_grant', reason });
    expect((await redeem(code)).status).toBe(200);
  });

  it('refuses an unknown code', async () => {
    expectError(await redeem('nonsense'), { error: 'invalid_grant', reason: 'CODE_INVALID' });
  });

  it('refuses a verifier where the request had no challenge (RFC 9700 §4.8.2)', async () => {
    const code = await codes.issue(request({ clientId: 'backend', codeChallenge: undefined }));
    expectError(await redeem(code, backend), { error: 'invalid_grant', reason: 'CODE_VERIFIER_MISMATCH' });
    expect((await redeem(code, { ...backend, code_verifier: undefined })).status).toBe(200);
  });

  it('refuses a user who was disabled after consenting', async () => {
    const code = await codes.issue(request());
    await service.app.get(UserService).setDisabled(sub, true);
    expectError(await redeem(code), { error: 'permission_denied', reason: 'USER_DISABLED' });
    await service.app.get(UserService).setDisabled(sub, false);
    service.clock.advance(1);
  });

  it.each<[string, Partial<AuthorizationRequest>, object]>([
    ['an unknown client', { clientId: 'nobody' }, { code: 'invalid_client' }],
    ['a client without the grant', { clientId: 'no-codes' }, { code: 'permission_denied' }],
    [
      'a redirect_uri that is not registered',
      { redirectUri: 'https://evil.example.com' },
      {
        code: 'invalid_argument',
        fields: [{ field: 'redirect_uri', description: 'is not registered for this client' }],
      },
    ],
    [
      'no challenge, for a public client',
      { codeChallenge: undefined },
      {
        code: 'invalid_argument',
        fields: [{ field: 'code_challenge', description: 'is required for public clients' }],
      },
    ],
    [
      'the plain method',
      { codeChallengeMethod: 'plain' },
      { code: 'invalid_argument', fields: [{ field: 'code_challenge_method', description: 'must be S256' }] },
    ],
    ['a malformed challenge', { codeChallenge: 'short' }, { code: 'invalid_argument' }],
    ['a scope that the client may not have', { scope: 'admin' }, { code: 'invalid_scope' }],
  ])('is not issued for %s', async (_, wrong, error) => {
    await expect(codes.issue(request(wrong))).rejects.toMatchObject(error);
  });
});
