import { decodeJwt } from 'jose';
import { AuthError, badField } from '../../base/errors/auth.error.js';
import { missing, tooLong } from '../../base/http/rules.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import type { Parameters } from '../../base/http/parameters.js';
import { addressOf, payerOf } from '../throttling/payer.js';

/** What a request says about its client; an absent secret or assertion means that none was sent. */
export interface ClientCredentials {
  id?: string;
  secret?: string;
  /** A JWT (RFC 7523 §2.2), not verified yet. */
  assertion?: string;
  /** The address that pays for wrong ones; undefined: a session pays. */
  from?: string;
}

const MAX_ID = 128;
const MAX_SECRET = 256;
const MAX_ASSERTION = 8192;
const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const VSCHAR = /^[\x20-\x7e]*$/; // RFC 6749 appendix A.1, A.2

const CREDENTIALS = Symbol('client credentials');

/**
 * client_id, client_secret and client_assertion, from Basic, body and query (RFC 6749 §2.3.1, RFC 7523 §2.2).
 * @throws AuthError invalid_argument where they are malformed, doubled or contradict each other, unauthorized_client
 * where an assertion is of another kind
 */
export function clientCredentialsOf(http: HttpExchange & { [CREDENTIALS]?: ClientCredentials }): ClientCredentials {
  return (http[CREDENTIALS] ??= {
    ...readCredentials(http),
    from: payerOf(http) === 'address' ? addressOf(http) : undefined,
  });
}

function readCredentials(http: HttpExchange): ClientCredentials {
  const { parameters } = http;
  const basic = readBasic(http.header('authorization'));
  const bodyId = checked('client_id', parameters.get('client_id'), MAX_ID);
  const bodySecret = checked('client_secret', parameters.get('client_secret'), MAX_SECRET);
  const assertion = readAssertion(parameters);
  const fromQuery = queryClientId(http.url);
  if ([basic, bodySecret, assertion].filter((sent) => sent !== undefined).length > 1) {
    throw new AuthError('invalid_argument', { reason: 'CLIENT_AUTHENTICATION_REPEATED' }); // RFC 6749 §2.3
  }
  const fromQueryId = checked('client_id', fromQuery, MAX_ID);
  const named = [basic?.id, bodyId, fromQueryId, assertion?.id].filter((id) => id !== undefined);
  if (new Set(named).size > 1) throw new AuthError('invalid_argument', { reason: 'CLIENT_ID_MISMATCH' });
  return { id: named[0], secret: basic ? basic.secret : bodySecret, assertion: assertion?.assertion };
}

/** The one parameter that is ever read from the query; parsed here, as a host may have any query parser. */
function queryClientId(url: string): string | undefined {
  const start = url.indexOf('?');
  if (start === -1) return undefined;
  const ids = new URLSearchParams(url.slice(start)).getAll('client_id');
  if (ids.length > 1) throw badField('client_id', 'PARAMETER_REPEATED', 'must be sent once');
  return ids[0] || undefined;
}

function readBasic(authorization: string | undefined): ClientCredentials | undefined {
  const sent = /^basic(?: +(.*))?$/i.exec(authorization ?? '');
  if (!sent) return undefined; // a Bearer header is ignored: clients send stale ones
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(sent[1] ?? '') ? Buffer.from(sent[1]!, 'base64').toString('utf8') : '';
  const colon = decoded.indexOf(':');
  if (colon < 1) throw new AuthError('invalid_argument', { reason: 'BASIC_MALFORMED' });
  const id = checked('client_id', formDecode(decoded.slice(0, colon)), MAX_ID);
  const secret = checked('client_secret', formDecode(decoded.slice(colon + 1)), MAX_SECRET);
  return { id, secret: secret === '' ? undefined : secret };
}

/** RFC 7521 §4.2: client_id may be left out, for the assertion's subject is the client. */
function readAssertion(parameters: Parameters): ClientCredentials | undefined {
  const assertion = parameters.get('client_assertion');
  const type = parameters.get('client_assertion_type');
  if (assertion === undefined && type === undefined) return undefined;
  if (assertion === undefined) throw missing('client_assertion');
  if (type === undefined) throw missing('client_assertion_type');
  if (type !== CLIENT_ASSERTION_TYPE) {
    throw new AuthError('unauthorized_client', { reason: 'CLIENT_ASSERTION_TYPE_UNSUPPORTED' });
  }
  const sent = checked('client_assertion', assertion, MAX_ASSERTION)!;
  return { id: checked('client_assertion', subjectOf(sent), MAX_ID), assertion: sent };
}

function subjectOf(assertion: string): string {
  try {
    const { sub } = decodeJwt(assertion);
    if (typeof sub === 'string' && sub !== '') return sub;
  } catch {
    // no JWT at all
  }
  throw new AuthError('unauthorized_client', { reason: 'CLIENT_ASSERTION_INVALID' });
}

/** application/x-www-form-urlencoded, as RFC 6749 §2.3.1 asks of both halves. */
function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new AuthError('invalid_argument', { reason: 'BASIC_MALFORMED' });
  }
}

function checked(field: string, value: string | undefined, max: number): string | undefined {
  if (value === undefined) return undefined;
  if (value.length > max) throw tooLong(field, max);
  if (!VSCHAR.test(value)) throw badField(field, 'PARAMETER_INVALID', 'must be printable ASCII');
  return value;
}
