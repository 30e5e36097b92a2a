import type { Response } from 'supertest';
import { expectError, type ExpectedError, type Service } from './service.js';
import { CALLBACK, VERIFIER } from './visitor.js';

export type Tokens = Record<'access_token' | 'refresh_token' | 'id_token', string>;

/** Ada's tokens at a client, by her password. */
export async function signIn(service: Service, more: object = {}, headers?: Record<string, string>): Promise<Tokens> {
  const ada = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
  return (await service.token({ ...ada, ...more }, headers)).body as Tokens;
}

/** Takes a code to the token endpoint, right in everything but what is said. */
export function redeem(service: Service, code: string, more: object = {}): Promise<Response> {
  const proof = { redirect_uri: CALLBACK, code_verifier: VERIFIER };
  return service.token({ client_id: 'app', grant_type: 'authorization_code', code, ...proof, ...more });
}

/** The whole body of a sign-in with an id_token, but for what is said. */
export const signedIn = (said: { sub: unknown; scope: string; groups?: string[] }): object => ({
  token_type: 'Bearer',
  access_token: expect.any(String),
  refresh_token: expect.stringMatching(/^m\./),
  id_token: expect.any(String),
  expires_in: 7200,
  groups: [],
  need_weda_resource: false,
  ...said,
});

/** What is said of one parameter; under /oauth2, by the standards' word. */
const parameter =
  (word?: string) =>
  (reason: string, field: string, description: string): ExpectedError => ({
    error: 'invalid_argument',
    word,
    reason,
    fields: [{ field, description }],
  });

const refusals = (say: ReturnType<typeof parameter>) => ({
  missing: (field: string, description = 'is required') => say('PARAMETER_MISSING', field, description),
  invalid: (field: string, description: string) => say('PARAMETER_INVALID', field, description),
  tooLong: (field: string, max: number) => say('PARAMETER_TOO_LONG', field, `must be at most ${max} characters`),
  repeated: (field: string) => say('PARAMETER_REPEATED', field, 'must be sent once'),
});

export const { missing, invalid, tooLong, repeated } = refusals(parameter());
/** The same under /oauth2. */
export const oauth = refusals(parameter('invalid_request'));

/** A scope that is none, at every endpoint that takes one. */
export const MALFORMED_SCOPE: ExpectedError = {
  error: 'invalid_scope',
  reason: 'SCOPE_MALFORMED',
  message: 'The scope is malformed.',
  fields: [{ field: 'scope', description: 'must be words separated by single spaces' }],
};

/** Under /oauth2: another method than those in `allow`. */
export function expectOtherMethodRefused(response: Response, allow: string): void {
  expectError(response, {
    error: 'invalid_argument',
    word: 'invalid_request',
    reason: 'METHOD_NOT_ALLOWED',
    status: 405,
    error_code: 40501,
  });
  expect(response.headers['allow']).toBe(allow);
}

/** Under /oauth2: an address that has asked too often. */
export const LIMITED = {
  error: 'resource_exhausted',
  word: 'temporarily_unavailable',
  reason: 'LIMIT_IP',
  retryAfter: 1,
} as const;
