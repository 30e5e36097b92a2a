import * as oauth from 'oauth4webapi';
import { DeviceAuthorizationService } from '../../src/core/devices/device-authorization.service.js';
import { type Service, startService } from '../service.js';

const HTTP = { [oauth.allowInsecureRequests]: true } as const;

/** A second library, which leaves each step to its user, and is strict about every answer. */
describe('oauth4webapi drives the service by its discovery document', () => {
  let service: Service;
  let server: oauth.AuthorizationServer;
  let sub: string;
  let backend: oauth.ClientAuth;
  const app: oauth.Client = { client_id: 'app' };
  const confidential: oauth.Client = { client_id: 'backend' };

  beforeAll(async () => {
    service = await startService({ reachable: true, auth: { limitAccount: false } });
    await service.client({ id: 'app' });
    const { client_secret } = await service.client({ id: 'backend', public: false });
    backend = oauth.ClientSecretBasic(client_secret!);
    sub = await service.user('ada', 'correct horse');
    const issuer = new URL(service.url);
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, HTTP));
  });
  afterAll(() => service.close());

  /** Signs ada in, and has the library check the id_token: signature and claims. */
  const signIn = async (client = app, authentication = oauth.None(), scope = 'openid profile') => {
    const parameters = { username: 'ada', password: 'correct horse', scope };
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      authentication,
      'password',
      parameters,
      HTTP,
    );
    const tokens = await oauth.processGenericTokenEndpointResponse(server, client, response);
    await oauth.validateApplicationLevelSignature(server, response, HTTP);
    return tokens;
  };

  it.each(['oidc', 'oauth2'] as const)('discovery by the %s document (RFC 8414 §3)', async (algorithm) => {
    const issuer = new URL(service.url);
    const response = await oauth.discoveryRequest(issuer, { algorithm, ...HTTP });
    expect(await oauth.processDiscoveryResponse(issuer, response)).toEqual(server);
  });

  it.each([
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ])('client_credentials with %s', async (id, method) => {
    const { client_secret } = await service.client({ id, public: false });
    const client = { client_id: id };
    const request = oauth.clientCredentialsGrantRequest(
      server,
      client,
      method(client_secret!),
      { scope: 'email' },
      HTTP,
    );
    const tokens = await oauth.processClientCredentialsResponse(server, client, await request);
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'email' });
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const resource = new Request(`${service.url}/orders`, { headers });
    // RFC 9068 §4, as a resource server of this library would check it
    const claims = await oauth.validateJwtAccessToken(server, resource, server.issuer, HTTP);
    expect(claims).toMatchObject({ sub: client.client_id, client_id: client.client_id, scope: 'email' });
  });

  it('refresh, with the id_token checked', async () => {
    const { refresh_token } = await signIn();
    const response = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), refresh_token!, HTTP);
    const tokens = await oauth.processRefreshTokenResponse(server, app, response);
    await oauth.validateApplicationLevelSignature(server, response, HTTP);
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ iss: service.url, aud: 'app', sub });
  });

  it('device flow (RFC 8628)', async () => {
    const asked = await oauth.deviceAuthorizationRequest(server, app, oauth.None(), { scope: 'openid' }, HTTP);
    const codes = await oauth.processDeviceAuthorizationResponse(server, app, asked);
    const poll = async () =>
      oauth.processDeviceCodeResponse(
        server,
        app,
        await oauth.deviceCodeGrantRequest(server, app, oauth.None(), codes.device_code, HTTP),
      );
    await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending' });
    await expect(poll()).rejects.toMatchObject({ error: 'slow_down' });
    await service.app.get(DeviceAuthorizationService).approve(codes.user_code, sub);
    expect(oauth.getValidatedIdTokenClaims(await poll())).toMatchObject({ sub });
    await expect(poll()).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  const userinfo = async (token: string) =>
    oauth.processUserInfoResponse(server, app, sub, await oauth.userInfoRequest(server, app, token, HTTP));
  const introspect = async (token: string) =>
    oauth.processIntrospectionResponse(
      server,
      confidential,
      await oauth.introspectionRequest(server, confidential, backend, token, HTTP),
    );
  const revoke = async (token: string) =>
    oauth.processRevocationResponse(await oauth.revocationRequest(server, app, oauth.None(), token, HTTP));

  it('userinfo, introspection and revocation', async () => {
    const { access_token, refresh_token } = await signIn();
    expect(await userinfo(access_token)).toEqual({ sub, preferred_username: 'ada' });
    expect(await introspect(access_token)).toMatchObject({ active: true, sub, client_id: 'app', token_type: 'Bearer' });
    expect(await introspect(refresh_token!)).toEqual({ active: false }); // it is the app's, not the caller's
    await revoke(refresh_token!);
    await revoke('garbage');
    expect(await introspect(access_token)).toEqual({ active: false });
    await expect(userinfo(access_token)).rejects.toMatchObject({
      cause: [{ scheme: 'bearer', parameters: { realm: 'auth', error: 'invalid_token' } }],
    });
  });

  it('introspects its own refresh token', async () => {
    const { refresh_token } = await signIn(confidential, backend);
    expect(await introspect(refresh_token!)).toMatchObject({ active: true, sub, client_id: 'backend' });
  });

  it('errors of the token endpoint (RFC 6749 §5.2)', async () => {
    const response = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), 'm.wrong', HTTP);
    await expect(oauth.processRefreshTokenResponse(server, app, response)).rejects.toMatchObject({
      error: 'invalid_grant',
      status: 400,
    });
  });
});
