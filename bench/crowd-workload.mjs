// What the connections send where there is a crowd: each request is about somebody else.
import { post } from './load.mjs';
import { client, CONNECTIONS, INTROSPECT, PATH, user } from './workload.mjs';

/** Each request about the next one of them. */
function inTurn(all, connections, bytes, answered) {
  let i = Math.floor(Math.random() * all.length);
  return Array.from({ length: connections }, () => {
    let one;
    return {
      next: () => bytes((one = all[i++ % all.length])),
      answered: (status, body) => answered?.(one, status, body),
    };
  });
}

/** Each session's refresh token, once a turn. */
export function refreshes({ sessions }, connections = CONNECTIONS) {
  return inTurn(
    sessions,
    connections,
    ({ refresh_token }) => post(PATH, { ...client, grant_type: 'refresh_token', refresh_token }),
    (session, status, body) => status === 200 && Object.assign(session, JSON.parse(body)),
  );
}

/** Of sessions that were refreshed: each one's access token. */
export function introspections({ sessions }) {
  return inTurn(sessions, CONNECTIONS, ({ access_token }) => post(INTROSPECT, { ...client, token: access_token }));
}

export function logins({ users }) {
  const { password } = user;
  return inTurn(users, CONNECTIONS, (name) =>
    post(PATH, { ...client, grant_type: 'password', username: name, password, scope: 'profile' }),
  );
}
