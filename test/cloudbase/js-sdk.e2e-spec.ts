import type Sdk from '@cloudbase/js-sdk';
import { SessionService } from '../../src/core/sessions/session.service.js';
import { type Service, startService } from '../service.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './sdk.js';

/** What the SDK advises is not the tests' business; it begins when it is loaded. */
for (const method of ['log', 'info', 'warn', 'error'] as const) {
  jest.spyOn(console, method).mockImplementation(() => undefined);
}

// Node's adapter of the SDK knows no PATCH, so what needs one is tested with @cloudbase/oauth and in the browser.

describe('@cloudbase/js-sdk, unmodified', () => {
  let service: Service;
  let cloudbase: typeof Sdk;
  let sub: string;
  let apps = 0;

  beforeAll(async () => {
    cloudbase = (await import('@cloudbase/js-sdk')).default;
    service = await startService({ auth: { limitAccount: false } });
    sub = await service.user('ada', 'correct horse', ['staff']);
  });
  afterAll(() => service.close());

  /** An app of its own: in Node the SDK keeps what it stores by the name of the environment. */
  const startApp = async () => {
    const env = `app-${++apps}`;
    await service.client({ id: env, grant_types: FIRST_PARTY_GRANTS });
    const app = cloudbase.init({ env, clientId: env });
    (app as unknown as { registerHost(host: string, protocol: string): void }).registerHost(
      new URL(service.url).host,
      'http',
    );
    return app.auth();
  };

  it('signInWithPassword() signs in, and getSession() knows the user', async () => {
    const auth = await startApp();
    const { data, error } = await auth.signInWithPassword({ username: 'ada', password: 'correct horse' });
    expect(error).toBeNull();
    expect(data.session).toMatchObject({ token_type: 'Bearer', scope: 'openid profile' });
    expect((await auth.getSession()).data.user).toMatchObject({ id: sub, is_anonymous: false });
  });

  it.each([
    ['a wrong password', { username: 'ada', password: 'wrong' }],
    ['an unknown user', { username: 'nobody', password: 'wrong' }],
  ])('signInWithPassword() takes %s for the same failure', async (_, wrong) => {
    const { error } = await (await startApp()).signInWithPassword(wrong);
    expect(error).toMatchObject({
      status: 'invalid_username_or_password',
      message: 'The username or password is wrong.',
      category: 'INVALID_CREDENTIALS',
    });
  });

  it('signInAnonymously() signs somebody in whom the SDK takes for anonymous', async () => {
    const { data, error } = await (await startApp()).signInAnonymously({});
    expect(error).toBeNull();
    expect(data.user).toMatchObject({ is_anonymous: true });
  });

  it('refreshSession() keeps the session', async () => {
    const auth = await startApp();
    const signedIn = await auth.signInWithPassword({ username: 'ada', password: 'correct horse' });
    const { data, error } = await auth.refreshSession();
    expect(error).toBeNull();
    expect(data.session!.refresh_token).not.toBe(signedIn.data.session!.refresh_token);
    expect(data.user).toMatchObject({ id: sub });
  });

  it('refreshSession() on a revoked session signs out', async () => {
    const auth = await startApp();
    await auth.signInWithPassword({ username: 'ada', password: 'correct horse' });
    await service.app.get(SessionService).revokeAll({ sub });
    expect((await auth.refreshSession()).error).toMatchObject({ status: 'unauthenticated' });
  });

  it('signOut() signs out, on a revoked session too', async () => {
    const auth = await startApp();
    await auth.signInWithPassword({ username: 'ada', password: 'correct horse' });
    await service.app.get(SessionService).revokeAll({ sub });
    expect(await auth.signOut()).toMatchObject({ error: null });
    expect(await auth.getAccessToken().catch(() => 'signed out')).toBe('signed out');
  });

  it('signUp() and verifyOtp() make a user, and later sign in by password', async () => {
    const auth = await startApp();
    const email = 'grace@example.com';
    const { data, error } = await auth.signUp({ email, password: 'correct horse', name: 'Grace' });
    expect(error).toBeNull();
    const token = codesSentTo(service, email).at(-1)!;
    const made = await data.verifyOtp!({ token });
    expect(made.error).toBeNull();
    expect(made.data.user).toMatchObject({ email });
    const again = await (await startApp()).signInWithPassword({ email, password: 'correct horse' });
    expect(again.data.user).toMatchObject({ id: made.data.user!.id });
  });

  it('signInWithOtp() signs in whoever has an account', async () => {
    const auth = await startApp();
    const email = 'grace@example.com';
    service.clock.advance(60);
    const { data } = await auth.signInWithOtp({ email });
    const { error, data: made } = await data.verifyOtp!({ token: codesSentTo(service, email).at(-1)! });
    expect(error).toBeNull();
    expect(made.user).toMatchObject({ email });
  });

  it('verifyOtp() rejects a wrong code as a wrong credential', async () => {
    const { data } = await (await startApp()).signUp({ email: 'typo@example.com' });
    const wrong = codesSentTo(service, 'typo@example.com')[0] === '000000' ? '111111' : '000000';
    expect((await data.verifyOtp!({ token: wrong })).error).toMatchObject({
      status: 'invalid_verification_code',
      category: 'INVALID_CREDENTIALS',
    });
  });

  it('resetPasswordForEmail() sets a password and signs in by it', async () => {
    const auth = await startApp();
    const email = 'grace@example.com';
    service.clock.advance(60);
    const { data } = await auth.resetPasswordForEmail(email);
    const nonce = codesSentTo(service, email).at(-1)!;
    const { error } = await data.updateUser!({ nonce, password: 'battery staple' });
    expect(error).toBeNull();
    const old = await (await startApp()).signInWithPassword({ email, password: 'correct horse' });
    expect(old.error).toMatchObject({ status: 'invalid_username_or_password' });
  });

  it('resetPasswordForEmail() answers alike, and sends nothing, where nobody has an account', async () => {
    const { error } = await (await startApp()).resetPasswordForEmail('nobody@example.com');
    expect(error).toBeNull();
    expect(codesSentTo(service, 'nobody@example.com')).toEqual([]);
  });

  it('updateUser() changes the profile', async () => {
    const auth = await startApp();
    await auth.signInWithPassword({ username: 'ada', password: 'correct horse' });
    const { data, error } = await auth.updateUser({ nickname: 'Ada L.', gender: 'FEMALE' });
    expect(error).toBeNull();
    expect(data.user!.user_metadata).toMatchObject({ name: 'Ada L.', gender: 'FEMALE' });
  });

  it('updateUser() changes the e-mail address by a code', async () => {
    const auth = await startApp();
    await auth.signInWithPassword({ username: 'ada', password: 'correct horse' });
    const email = 'ada@new.example.com';
    const { data } = await auth.updateUser({ email });
    const { verifyOtp } = data as unknown as {
      verifyOtp: (p: object) => Promise<{ error: unknown; data: { user: unknown } }>;
    };
    const { error, data: changed } = await verifyOtp({ email, token: codesSentTo(service, email).at(-1)! });
    expect(error).toBeNull();
    expect(changed.user).toMatchObject({ id: sub, email });
  });
});
