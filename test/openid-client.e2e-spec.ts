import * as client from 'openid-client';
import { authorizationMetadata } from '../src/oauth/authorization/metadata.js';
import { type Service, startService } from './service.js';
import { CALLBACK, Visitor } from './visitor.js';

describe('openid-client, unmodified, against the listening service', () => {
  let service: Service;
  let config: client.Configuration;
  let visitor: Visitor;
  let sub: string;

  beforeAll(async () => {
    service = await startService({ reachable: true });
    const { client_id, client_secret } = await service.client({ id: 'backend', public: false });
    sub = await service.user('ada', 'correct horse');
    const issuer = service.url;
    const server = {
      issuer,
      ...authorizationMetadata((path) => issuer + path),
      token_endpoint: `${issuer}/oauth2/token`,
      jwks_uri: `${issuer}/auth/v1/certs`,
      id_token_signing_alg_values_supported: ['ES256'],
    };
    config = new client.Configuration(server, client_id, client_secret);
    client.allowInsecureRequests(config);
    client.enableNonRepudiationChecks(config); // verifies signatures
  });
  afterAll(() => service.close());
  beforeEach(() => {
    visitor = new Visitor(service.url);
    service.clock.advance((Date.now() - service.clock.now()) / 1000);
  });

  /** Lets the user go where the client sends them. */
  async function visit(url: URL): Promise<URL> {
    let page = await visitor.follow(await visitor.get(url.pathname + url.search));
    if (page.status === 200) page = await visitor.signIn(page);
    if (page.status === 200) page = await visitor.submit(page, { decision: 'allow' });
    return new URL(page.headers['location']!);
  }

  it.each(['in the query', 'pushed (RFC 9126)'])(
    'signs in with code, PKCE, state, nonce, max_age and iss (RFC 9207), the request %s',
    async (how) => {
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const expectedState = client.randomState();
      const expectedNonce = client.randomNonce();
      const parameters = {
        redirect_uri: CALLBACK,
        scope: 'openid profile',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
        max_age: '300',
      };
      const url =
        how === 'in the query'
          ? client.buildAuthorizationUrl(config, parameters)
          : await client.buildAuthorizationUrlWithPAR(config, parameters);
      const tokens = await client.authorizationCodeGrant(config, await visit(url), {
        pkceCodeVerifier,
        expectedState,
        expectedNonce,
        maxAge: 300,
        idTokenExpected: true,
      });
      expect(tokens.claims()).toMatchObject({ sub, aud: 'backend', iss: service.url });
      const signOut = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token! });
      await visitor.get(signOut.pathname + signOut.search);
      await expect(client.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    },
  );

  it('is told what is wrong', async () => {
    const url = client.buildAuthorizationUrl(config, { redirect_uri: CALLBACK, scope: 'openid', prompt: 'none' });
    const answer = new URL((await visitor.get(url.pathname + url.search)).headers['location']!);
    await expect(client.authorizationCodeGrant(config, answer)).rejects.toMatchObject({ error: 'login_required' });
  });
});
