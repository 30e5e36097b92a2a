import type { Client } from '../../core/clients/client.entity.js';
import { grantScope, MAX_SCOPE, SCOPE_FORMAT } from '../../core/clients/scope.js';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import type { Parameters } from '../../base/http/parameters.js';
import { MAX_ID_TOKEN_HINT } from './id-token-hint.service.js';
import { type Format, malformed, missing, PRINTABLE, SHA_256, tooLong } from '../../base/http/rules.js';
import { leavesRoom, noRoom } from '../../base/http/with-query.js';

export const RESPONSE_MODES = ['query', 'form_post'] as const;
export const PROMPTS = ['none', 'login', 'consent', 'select_account'] as const;
type Prompt = (typeof PROMPTS)[number];

/** Where the answer to an authorization request goes, proven to be the client's. */
export interface AuthorizationTarget {
  client_id: string;
  redirect_uri: string;
  response_mode: (typeof RESPONSE_MODES)[number];
  state?: string;
}

/** A checked authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1) that waits for its answer. */
export interface PendingAuthorization extends AuthorizationTarget {
  scope: string[];
  nonce?: string;
  /** Thumbprint of the key that the redemption must prove (RFC 9449 §10). */
  dpop_jkt?: string;
  /** PKCE S256 (RFC 7636 §4.2). */
  code_challenge?: string;
  prompt: Prompt[];
  /** Seconds. */
  max_age?: number;
  login_hint?: string;
  ui_locales?: string;
  id_token_hint?: string;
  /** When it came in, in milliseconds since the Unix epoch: a later sign-in is one for this request. */
  started_at: number;
}

const SECONDS: Format = { pattern: /^\d+$/, description: 'must be a whole number of seconds' };

/**
 * Checks everything but client and redirect_uri.
 * @throws AuthError for the first parameter that is wrong
 */
export function checkAuthorization(
  client: Client,
  target: AuthorizationTarget,
  parameters: Parameters,
  now: number,
): PendingAuthorization {
  const read = (name: string, max: number, format = PRINTABLE) => readText(parameters, name, max, format);
  // OpenID Connect Core §6, §7.2.1: never silently ignored
  if (parameters.get('request') !== undefined) throw unsupported('REQUEST_OBJECT_UNSUPPORTED');
  if (parameters.get('request_uri') !== undefined) throw unsupported('REQUEST_URI_UNSUPPORTED');
  if (parameters.get('registration') !== undefined) throw unsupported('REGISTRATION_UNSUPPORTED');
  const responseType = parameters.get('response_type');
  if (responseType === undefined) throw missing('response_type');
  if (responseType !== 'code') throw unsupported('RESPONSE_TYPE_UNSUPPORTED');
  if (!client.grant_types.includes('authorization_code')) {
    throw new AuthError('permission_denied', { reason: 'GRANT_TYPE_NOT_ALLOWED' });
  }
  const responseMode = oneOf('response_mode', RESPONSE_MODES, parameters.get('response_mode') ?? 'query');
  const state = read('state', 2048);
  if (responseMode === 'query' && !leavesRoom(target.redirect_uri, state)) throw noRoom('redirect_uri');
  const code_challenge = challengeOf(client, parameters);
  const scope = grantScope(client, read('scope', MAX_SCOPE, SCOPE_FORMAT));
  const prompt = (read('prompt', 64) ?? '').split(' ').filter(Boolean);
  const prompts = prompt.map((word) => oneOf('prompt', PROMPTS, word));
  if (prompts.includes('none') && prompts.length > 1) {
    throw badField('prompt', 'PARAMETER_INVALID', 'must be none alone'); // OpenID Connect Core §3.1.2.1
  }
  const maxAge = read('max_age', 10, SECONDS);
  return {
    ...target,
    response_mode: responseMode,
    state,
    scope,
    nonce: read('nonce', 512),
    dpop_jkt: read('dpop_jkt', 43, SHA_256),
    code_challenge,
    prompt: prompts,
    max_age: maxAge === undefined ? undefined : Number(maxAge),
    login_hint: read('login_hint', 256),
    ui_locales: read('ui_locales', 128),
    id_token_hint: read('id_token_hint', MAX_ID_TOKEN_HINT),
    started_at: now,
  };
}

/** What an error can be answered to before the request is judged: parameters that are wrong themselves are left out. */
export function targetOf(client: Client, redirectUri: string, parameters: Parameters): AuthorizationTarget {
  const sent = parameters.peek('state');
  const response_mode = RESPONSE_MODES.find((mode) => mode === parameters.peek('response_mode')) ?? 'query';
  const wrong =
    sent === undefined ||
    sent.length > 2048 ||
    !PRINTABLE.pattern.test(sent) ||
    (response_mode === 'query' && !leavesRoom(redirectUri, sent));
  return { client_id: client.id, redirect_uri: redirectUri, response_mode, state: wrong ? undefined : sent };
}

/** PKCE: S256 alone (RFC 9700 §2.1.1), never left out by a public client. */
function challengeOf(client: Client, parameters: Parameters): string | undefined {
  const challenge = parameters.get('code_challenge');
  const method = parameters.get('code_challenge_method');
  if (challenge === undefined && method !== undefined) {
    throw badField('code_challenge', 'PARAMETER_MISSING', 'is required with code_challenge_method');
  }
  if (challenge === undefined && client.public) {
    throw badField('code_challenge', 'PARAMETER_MISSING', 'is required for public clients');
  }
  // RFC 7636 §4.3: left out, it would mean plain
  if (challenge !== undefined && method !== 'S256') {
    throw badField('code_challenge_method', 'PARAMETER_INVALID', 'must be S256');
  }
  if (challenge !== undefined && !SHA_256.pattern.test(challenge)) {
    throw malformed('code_challenge', SHA_256);
  }
  return challenge;
}

function readText(parameters: Parameters, name: string, max: number, format: Format) {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  if (value.length > max) throw tooLong(name, max);
  if (!format.pattern.test(value)) throw malformed(name, format);
  return value;
}

function oneOf<T extends string>(name: string, known: readonly T[], value: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw badField(name, 'PARAMETER_INVALID', `must be of ${known.join(', ')}`);
  return found;
}

function unsupported(
  reason:
    'REQUEST_OBJECT_UNSUPPORTED' | 'REQUEST_URI_UNSUPPORTED' | 'REGISTRATION_UNSUPPORTED' | 'RESPONSE_TYPE_UNSUPPORTED',
): AuthError {
  return new AuthError('invalid_argument', { reason });
}
