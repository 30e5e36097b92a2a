// What the connections send to the service, and to the floor.
import { get, post } from './load.mjs';

export const PATH = '/auth/v1/token';
export const CERTS = '/auth/v1/certs';
export const INTROSPECT = '/oauth2/introspect';
export const CONNECTIONS = 16;
export const client = { client_id: 'bench', client_secret: 'the secret of the client that the benchmark speaks for' };
export const user = { username: 'bench', password: 'the password that the benchmark signs in with' };

/** The same request over every connection. */
function same(bytes, connections) {
  return Array.from({ length: connections }, () => ({ next: () => bytes }));
}

export function clientCredentials(connections = CONNECTIONS) {
  return same(post(PATH, { ...client, grant_type: 'client_credentials', scope: 'profile' }), connections);
}

export function logins(connections = CONNECTIONS) {
  return same(post(PATH, { ...client, grant_type: 'password', ...user, scope: 'profile' }), connections);
}

export function keySets(connections = CONNECTIONS) {
  return same(get(CERTS), connections);
}

/** A session per connection; each asks for its access token. */
export function introspections(sessions) {
  return sessions.map(({ access_token }) => {
    const bytes = post(INTROSPECT, { ...client, token: access_token });
    return { next: () => bytes };
  });
}

/** A session per connection; each request carries the refresh token of the last answer, and a scope if one is given. */
export function refreshes(sessions, scope) {
  return sessions.map((session) => ({
    next: () => post(PATH, { ...client, grant_type: 'refresh_token', refresh_token: session.refresh_token, scope }),
    answered: (status, body) => {
      if (status === 200) session.refresh_token = JSON.parse(body).refresh_token;
    },
  }));
}

/** Tokens, refreshes, and clients that nobody has heard of, each a new key to every cache. */
export function everything(sessions) {
  let strangers = 0;
  const stranger = () => ({ ...client, client_id: `stranger-${strangers++}`, grant_type: 'client_credentials' });
  return [
    ...clientCredentials(8),
    ...refreshes(sessions.slice(0, 4)),
    ...Array.from({ length: 4 }, () => ({ next: () => post(PATH, stranger()) })),
  ];
}

/** The session of a new sign-in. */
export function signIn(port, scope) {
  return tokens(port, { ...user, grant_type: 'password', scope });
}

/** The session of a refresh token, moved on. */
export function refresh(port, { refresh_token }) {
  return tokens(port, { grant_type: 'refresh_token', refresh_token });
}

async function tokens(port, parameters) {
  const answer = await fetch(`http://127.0.0.1:${port}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...client, ...parameters }),
  });
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
