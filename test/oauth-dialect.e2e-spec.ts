import request, { type Response } from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { AuthorizationCodeService } from '../src/core/codes/authorization-code.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { signIn, type Tokens } from './fixtures.js';
import { type Service, startService } from './service.js';
import { CALLBACK, CHALLENGE, VERIFIER } from './visitor.js';

describe('/oauth2/token: the same endpoint in the words of the standards', () => {
  let service: Service;
  let sub: string;

  beforeAll(async () => {
    service = await startService();
    await service.client({ id: 'app' });
    await service.client({ id: 'narrow', grant_types: ['refresh_token'] });
    await service.client({ id: 'backend', public: false });
    sub = await service.user('ada', 'correct horse');
  });
  afterAll(() => service.close());

  const ask = (body: object) => request(service.url).post('/oauth2/token').type('form').send(body);

  it('answers with the same tokens', async () => {
    const body = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    const here = await ask(body);
    const there = await service.token(body);
    expect([here.status, Object.keys(here.body)]).toEqual([200, Object.keys(there.body)]);
  });

  describe('a nonce is the authentication request’s, and none comes with what redeems it (OpenID Connect Core §2, §12.2)', () => {
    const nonceOf = ({ body }: Response) => {
      const [, claims] = (body as Tokens).id_token.split('.');
      return (JSON.parse(Buffer.from(claims!, 'base64url').toString()) as { nonce?: string }).nonce;
    };
    const asked = { client_id: 'app', nonce: 'n-late' };
    const both = async (body: () => Promise<object>) => {
      const here = await ask({ ...asked, ...(await body()) });
      return [nonceOf(here), nonceOf(await service.token({ ...asked, ...(await body()) }))];
    };

    it('not with a refresh, nor one that is too long', async () => {
      const refresh = async () => {
        const { refresh_token } = await signIn(service, { nonce: 'n-1' });
        return { grant_type: 'refresh_token', refresh_token };
      };
      expect(await both(refresh)).toEqual([undefined, 'n-late']);
      const { status } = await ask({ ...asked, ...(await refresh()), nonce: 'n'.repeat(513) });
      expect(status).toBe(200);
    });

    it('not with a code whose request had none, and not in place of the one that it had', async () => {
      const redemption = (nonce?: string) => async () => {
        const request = { clientId: 'app', sub, redirectUri: CALLBACK, codeChallenge: CHALLENGE, nonce };
        const code = await service.app.get(AuthorizationCodeService).issue(request);
        return { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER };
      };
      expect(await both(redemption())).toEqual([undefined, 'n-late']);
      expect(await both(redemption('n-1'))).toEqual(['n-1', 'n-1']);
    });

    it('not with a device code', async () => {
      const poll = async () => {
        const devices = service.app.get(DeviceAuthorizationService);
        const { client } = (await service.app.get(ClientService).load('app'))!;
        const { device_code, user_code } = await devices.start(client);
        await devices.approve(user_code, sub);
        return { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code };
      };
      expect(await both(poll)).toEqual([undefined, 'n-late']);
    });

    it('but with a sign-in that is its own authentication request', async () => {
      const password = { grant_type: 'password', username: 'ada', password: 'correct horse' };
      expect(await both(() => Promise.resolve(password))).toEqual(['n-late', 'n-late']);
    });
  });

  it.each<[string, object, number, string, string]>([
    ['no client (RFC 6749 §5.2)', {}, 401, 'invalid_client', 'CLIENT_ID_MISSING'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client', 'CLIENT_UNKNOWN'],
    ['a wrong secret', { client_id: 'backend', client_secret: 'x' }, 401, 'invalid_client', 'CLIENT_SECRET_WRONG'],
    ['no grant_type', { client_id: 'app' }, 400, 'invalid_request', 'PARAMETER_MISSING'],
    [
      'an unknown grant_type',
      { client_id: 'app', grant_type: 'implicit' },
      400,
      'unsupported_grant_type',
      'GRANT_TYPE_UNSUPPORTED',
    ],
    [
      'a grant_type that the client may not use',
      { client_id: 'narrow', grant_type: 'password' },
      400,
      'unauthorized_client',
      'GRANT_TYPE_NOT_ALLOWED',
    ],
    [
      'a wrong password',
      { client_id: 'app', grant_type: 'password', username: 'ada', password: 'wrong' },
      400,
      'invalid_grant',
      'WRONG_USERNAME_OR_PASSWORD',
    ],
    [
      'a wrong refresh token',
      { client_id: 'app', grant_type: 'refresh_token', refresh_token: 'm.x' },
      400,
      'invalid_grant',
      'REFRESH_TOKEN_INVALID',
    ],
    [
      'a scope that is not allowed',
      { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse', scope: 'root' },
      400,
      'invalid_scope',
      'SCOPE_NOT_ALLOWED',
    ],
  ])('calls %s by its standard name', async (_, body, status, error, reason) => {
    const response: Response = await ask(body);
    expect([response.status, response.body.error, response.body.details[0].reason]).toEqual([status, error, reason]);
  });
});
