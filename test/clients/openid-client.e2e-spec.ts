import * as oidc from 'openid-client';
import { DeviceAuthorizationService } from '../../src/core/devices/device-authorization.service.js';
import { type Service, startService } from '../service.js';

/** The library as its users have it, told nothing but the issuer: everything else it reads from the discovery document. */
describe('openid-client drives the service by its discovery document', () => {
  let service: Service;
  let sub: string;
  const secrets: Record<string, string | undefined> = {};

  beforeAll(async () => {
    service = await startService({ reachable: true, auth: { deviceCodeInterval: 1, limitAccount: false } });
    await service.client({ id: 'tv' });
    for (const id of ['backend', 'api']) secrets[id] = (await service.client({ id, public: false })).client_secret;
    sub = await service.user('ada', 'correct horse', ['staff']);
  });
  afterAll(() => service.close());

  const discover = (id: string, authentication: oidc.ClientAuth, algorithm: 'oidc' | 'oauth2' = 'oidc') =>
    oidc.discovery(new URL(service.url), id, undefined, authentication, {
      algorithm,
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    });
  const asTv = () => discover('tv', oidc.None());
  const as = (id: string) => discover(id, oidc.ClientSecretBasic(secrets[id]));
  const signIn = (config: oidc.Configuration, scope = 'openid profile') =>
    oidc.genericGrantRequest(config, 'password', { username: 'ada', password: 'correct horse', scope });

  it.each(['oidc', 'oauth2'] as const)('discovery: finds every endpoint by the %s document', async (algorithm) => {
    const server = (await discover('tv', oidc.None(), algorithm)).serverMetadata();
    expect(server.issuer).toBe(service.url);
    expect(server.token_endpoint).toBe(`${service.url}/oauth2/token`);
    expect(server.supportsPKCE()).toEqual(expect.any(Boolean));
  });

  it.each([
    ['client_secret_basic', oidc.ClientSecretBasic],
    ['client_secret_post', oidc.ClientSecretPost],
  ])('client_credentials with %s', async (_, method) => {
    const config = await discover('backend', method(secrets['backend']));
    const tokens = await oidc.clientCredentialsGrant(config, { scope: 'profile' });
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'profile', expires_in: 7200 });
    expect(tokens.refresh_token).toBeUndefined();
  });

  it('client_credentials with a wrong secret: the error is a challenge', async () => {
    const config = await discover('backend', oidc.ClientSecretBasic('wrong'));
    await expect(oidc.clientCredentialsGrant(config)).rejects.toMatchObject({
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      status: 401,
    });
  });

  it('refresh, with the id_token checked by signature and claims', async () => {
    const config = await asTv();
    const first = await signIn(config);
    expect(first.claims()).toMatchObject({ iss: service.url, aud: 'tv', sub });
    const second = await oidc.refreshTokenGrant(config, first.refresh_token!);
    expect(second.claims()).toMatchObject({ sub, sid: first.claims()!['sid'] });
    expect(second.refresh_token).not.toBe(first.refresh_token);
  });

  it('a refused refresh: the error has its standard word', async () => {
    await expect(oidc.refreshTokenGrant(await asTv(), 'm.wrong')).rejects.toMatchObject({
      code: 'OAUTH_RESPONSE_BODY_ERROR',
      error: 'invalid_grant',
      error_description: 'The refresh token is wrong. Sign in again.',
    });
  });

  it('device flow: polls until the user has approved', async () => {
    const config = await asTv();
    const codes = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
    const polling = oidc.pollDeviceAuthorizationGrant(config, codes);
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the library's clock is the real one
    await service.app.get(DeviceAuthorizationService).approve(codes.user_code, sub);
    expect((await polling).claims()).toMatchObject({ sub, aud: 'tv' });
  });

  it('device flow: stops where the user refuses', async () => {
    const config = await asTv();
    const codes = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
    await service.app.get(DeviceAuthorizationService).deny(codes.user_code);
    await expect(oidc.pollDeviceAuthorizationGrant(config, codes)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('userinfo', async () => {
    const config = await asTv();
    const { access_token } = await signIn(config);
    expect(await oidc.fetchUserInfo(config, access_token, sub)).toEqual({ sub, preferred_username: 'ada' });
  });

  it('introspection and revocation: inactive at once', async () => {
    const app = await asTv();
    const api = await as('api');
    const { access_token } = await signIn(app);
    expect(await oidc.tokenIntrospection(api, access_token)).toMatchObject({ active: true, sub, client_id: 'tv' });
    await oidc.tokenRevocation(app, access_token);
    expect(await oidc.tokenIntrospection(api, access_token)).toEqual({ active: false });
    await expect(oidc.fetchUserInfo(app, access_token, sub)).rejects.toMatchObject({
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      cause: [{ scheme: 'bearer', parameters: { realm: 'auth', error: 'invalid_token' } }],
    });
  });

  it.each(['RS256', 'EdDSA'] as const)('checks an id_token that is signed with %s', async (signingAlg) => {
    const other = await startService({ reachable: true, auth: { signingAlg } });
    await other.client({ id: 'tv' });
    const ada = await other.user('ada', 'correct horse');
    const config = await oidc.discovery(new URL(other.url), 'tv', undefined, oidc.None(), {
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    });
    expect((await signIn(config)).claims()).toMatchObject({ sub: ada });
    await other.close();
  });
});
