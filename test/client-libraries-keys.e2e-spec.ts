import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { decodeJwt } from 'jose';
import { type KeyPair, keyPair } from './jwts.js';
import { type Service, startService } from './service.js';

describe('client libraries with keys, unmodified', () => {
  let service: Service;
  let issuer: string;
  let skew: number;
  let signer: KeyPair;
  const allowHttp = { [oauth.allowInsecureRequests]: true };

  beforeAll(async () => {
    service = await startService({ reachable: true });
    issuer = service.url;
    skew = Math.round((service.clock.now() - Date.now()) / 1000);
    signer = await keyPair('ES256', 'k1');
    const jwks = { keys: [signer.jwk] };
    await service.client({ id: 'signer', public: false, jwks, grant_types: ['client_credentials'] });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  /** What discovery says, as far as it is needed here. */
  const server = (): oauth.AuthorizationServer => ({
    issuer,
    token_endpoint: `${issuer}/oauth2/token`,
    id_token_signing_alg_values_supported: ['ES256'],
  });

  describe('oauth4webapi', () => {
    it('gets a token by private_key_jwt', async () => {
      const client: oauth.Client = { client_id: 'signer', [oauth.clockSkew]: skew };
      const authentication = oauth.PrivateKeyJwt({ key: signer.privateKey, kid: 'k1' });
      const ask = () => oauth.clientCredentialsGrantRequest(server(), client, authentication, {}, allowHttp);
      const tokens = await oauth.processClientCredentialsResponse(server(), client, await ask());
      expect(decodeJwt(tokens.access_token)).toMatchObject({ iss: issuer, sub: 'signer' });
    });

    it.each(['ES256', 'Ed25519'])('gets bound tokens by %s, and refreshes them with that key alone', async (alg) => {
      const client: oauth.Client = { client_id: 'app', [oauth.clockSkew]: skew };
      const keys = await oauth.generateKeyPair(alg);
      const DPoP = oauth.DPoP(client, keys);
      const none = oauth.None();
      const parameters = { username: 'ada', password: 'correct horse' };
      const first = await oauth.processGenericTokenEndpointResponse(
        server(),
        client,
        await oauth.genericTokenEndpointRequest(server(), client, none, 'password', parameters, { DPoP, ...allowHttp }),
      );
      expect(first.token_type).toBe('dpop');
      const refresh = (handle?: oauth.DPoPHandle) =>
        oauth.refreshTokenGrantRequest(server(), client, none, first.refresh_token!, { DPoP: handle, ...allowHttp });
      const thief = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
      for (const [handle, error] of [
        [undefined, 'invalid_dpop_proof'],
        [thief, 'invalid_grant'],
      ] as const) {
        const stolen = oauth.processRefreshTokenResponse(server(), client, await refresh(handle));
        await expect(stolen).rejects.toMatchObject({ error });
      }
      const second = await oauth.processRefreshTokenResponse(server(), client, await refresh(DPoP));
      expect(second.token_type).toBe('dpop');
      expect(second.refresh_token).not.toBe(first.refresh_token);
      expect(decodeJwt(second.access_token)).toMatchObject({ cnf: { jkt: await DPoP.calculateThumbprint() } });
    });
  });

  describe('openid-client', () => {
    const configure = (id: string, authentication: openid.ClientAuth) => {
      const config = new openid.Configuration(server(), id, { [openid.clockSkew]: skew }, authentication);
      openid.allowInsecureRequests(config);
      return config;
    };

    it('gets a token by private_key_jwt', async () => {
      const config = configure('signer', openid.PrivateKeyJwt({ key: signer.privateKey, kid: 'k1' }));
      const tokens = await openid.clientCredentialsGrant(config);
      expect(decodeJwt(tokens.access_token)).toMatchObject({ iss: issuer, sub: 'signer' });
    });

    it('gets bound tokens, and refreshes them', async () => {
      const config = configure('app', openid.None());
      const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
      const parameters = { username: 'ada', password: 'correct horse' };
      const first = await openid.genericGrantRequest(config, 'password', parameters, { DPoP });
      const second = await openid.refreshTokenGrant(config, first.refresh_token!, undefined, { DPoP });
      expect([first.token_type, second.token_type]).toEqual(['dpop', 'dpop']);
      expect(decodeJwt(second.access_token)).toMatchObject({ cnf: { jkt: await DPoP.calculateThumbprint() } });
    });
  });
});
