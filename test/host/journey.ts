import { createHash } from 'node:crypto';
import request, { type Response } from 'supertest';
import { expectError } from '../service.js';
import { answerOf, Visitor } from '../visitor.js';
import type { Host } from './installation.js';

const LOTTO = 'urn:example:grant-type:lotto';
const VERIFIER = 'a-verifier-of-at-least-43-characters-0123456789';
const AUTHORIZATION = {
  client_id: 'web',
  response_type: 'code',
  redirect_uri: 'https://app.example.com/callback',
  scope: 'openid profile',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

export const tokensOfAda = {
  token_type: 'Bearer',
  access_token: expect.any(String) as string,
  refresh_token: expect.stringMatching(/^m\.[A-Za-z0-9_-]{70}$/) as string,
  expires_in: 7200,
  scope: 'profile',
  sub: 'account:ada',
  groups: ['players'],
  need_weda_resource: false,
};

type Tokens = Record<'access_token' | 'refresh_token', string>;

/** What every host of test/host does, whatever it runs on: each a name and the steps. */
export const JOURNEY: [string, (host: Host) => Promise<void>][] = [
  [
    'password, refresh, a retry, and theft',
    async (host) => {
      const first = await token(host, { grant_type: 'password', username: 'ada', password: 'correct horse' });
      expect([first.status, first.body]).toEqual([200, tokensOfAda]);
      await refreshesUntilStolen(host, 'app', (first.body as Tokens).refresh_token);
    },
  ],
  [
    'code and PKCE through the pages',
    async (host) => {
      const visitor = new Visitor(host.url);
      const page = await visitor.follow(await visitor.get('/api/oauth2/authorize', AUTHORIZATION));
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      const { code } = answerOf(await visitor.signIn(page, 'ada', 'correct horse'));
      const { redirect_uri } = AUTHORIZATION;
      const grant = { client_id: 'web', grant_type: 'authorization_code', code, redirect_uri, code_verifier: VERIFIER };
      const { body } = await token(host, grant);
      expect(body).toEqual({ ...tokensOfAda, scope: 'openid profile', id_token: expect.any(String) as string });
      await refreshesUntilStolen(host, 'web', (body as Tokens).refresh_token);
    },
  ],
  [
    'a grant of its own, and a route that the guard protects',
    async (host) => {
      const { body } = await token(host, { grant_type: LOTTO, ticket: '777' });
      expect(body).toEqual(tokensOfAda);
      const prize = (authorization: string) => request(host.url).get('/api/v1/prize').set({ authorization });
      const shown = await prize(`Bearer ${(body as Tokens).access_token}`);
      expect([shown.status, shown.body]).toEqual([200, { data: { for: 'account:ada' } }]);
      const refused = await prize('Bearer no-token');
      expect([refused.status, refused.body]).toEqual([401, expect.objectContaining({ status: 401 })]);
      expect(refused.headers['www-authenticate']).toBe('Bearer realm="auth", error="invalid_token"');
    },
  ],
];

async function refreshesUntilStolen(host: Host, client_id: string, stolen: string): Promise<void> {
  const refresh = (refresh_token: string) => token(host, { client_id, grant_type: 'refresh_token', refresh_token });
  const { refresh_token } = (await refresh(stolen)).body as Tokens;
  expect(refresh_token).not.toBe(stolen);
  expect(((await refresh(stolen)).body as Tokens).refresh_token).toBe(refresh_token);
  expect((await refresh(refresh_token)).status).toBe(200);
  expectError(await refresh(stolen), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
  expectError(await refresh(refresh_token), { error: 'invalid_grant', reason: 'REFRESH_TOKEN_REUSED' });
}

function token(host: Host, body: object): Promise<Response> {
  return request(host.url)
    .post('/api/auth/v1/token')
    .send({ client_id: 'app', ...body })
    .then((response) => response);
}
