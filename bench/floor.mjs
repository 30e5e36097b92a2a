// The floor: a bare node:http server that does only the work that nobody can leave out. For tokens it parses JSON,
// compares the SHA-256 of the client's secret in constant time, writes one prepared UPDATE where the grant needs one (the
// same sqlite3 package, WAL, synchronous = NORMAL), and signs ES256: once, or twice where the scope asks for openid. To
// introspect it verifies ES256 instead, and reads the session's row. The key set is bytes that are there already.
// Started by run.mjs: node bench/floor.mjs <port> <database file> <client secret> <key set>
import { createHash, generateKeyPairSync, sign, timingSafeEqual, verify } from 'node:crypto';
import { createServer } from 'node:http';
import sqlite3 from 'sqlite3';
import { CERTS, client, INTROSPECT } from './workload.mjs';

const [port, file, secret, certs] = process.argv.slice(2);
const secretHash = createHash('sha256').update(secret).digest();
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: 'floor' });

const sessions = await openSessions(file);
createServer(serve).listen(Number(port), '127.0.0.1');

function serve(request, response) {
  if (request.method === 'GET' && request.url === CERTS) return answer(response, 200, certs);
  if (request.method !== 'POST') return answer(response, 405, '{}');
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const parameters = JSON.parse(body);
    const sent = createHash('sha256').update(parameters.client_secret).digest();
    if (!timingSafeEqual(sent, secretHash)) return refuse(response, 401, 'unauthorized_client');
    if (request.url === INTROSPECT) introspect(response, parameters);
    else token(response, parameters);
  });
}

function token(response, { client_id, grant_type, refresh_token, scope = 'profile' }) {
  if (grant_type !== 'refresh_token') return json(response, tokens(client_id, scope));
  const [id, generation] = refresh_token.split('.');
  const next = Number(generation) + 1;
  sessions.rotate(id, Number(generation), next, (moved) => {
    if (!moved) return refuse(response, 400, 'invalid_grant');
    json(response, { ...tokens(client_id, scope, id), refresh_token: `${id}.${next}` });
  });
}

function introspect(response, { token }) {
  const claims = verified(token);
  if (claims === undefined || claims.exp * 1000 <= Date.now()) return json(response, { active: false });
  sessions.find(claims.sid, (row) => {
    const isAlive = row !== undefined && row.revoked_at === null && row.expires_at > Date.now();
    json(response, isAlive ? { active: true, token_type: 'Bearer', ...claims } : { active: false });
  });
}

function tokens(client_id, scope, sid) {
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'http://127.0.0.1',
    sub: client_id,
    aud: client_id,
    exp: iat + 7200,
    iat,
    client_id,
    scope,
    sid,
  };
  return {
    token_type: 'Bearer',
    access_token: jwt(claims),
    ...(sid && scope.includes('openid') ? { id_token: jwt(claims) } : {}),
    expires_in: 7200,
    scope,
  };
}

function jwt(claims) {
  const input = `${header}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** The claims of a token of ours. */
function verified(token) {
  const [head, payload, signature] = token.split('.');
  if (decode(head).alg !== 'ES256') return undefined;
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' };
  const isOurs = verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
  return isOurs ? decode(payload) : undefined;
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text) {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}

function json(response, body) {
  answer(response, 200, JSON.stringify(body));
}

function refuse(response, status, error) {
  answer(response, status, JSON.stringify({ error }));
}

function answer(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** Sessions in SQLite, each moved on or read by one prepared statement. */
async function openSessions(file) {
  const database = new sqlite3.Database(file);
  await new Promise((resolve, reject) => {
    database.exec(
      `PRAGMA journal_mode = WAL;
       PRAGMA synchronous = NORMAL;
       CREATE TABLE session (id varchar(22) PRIMARY KEY, client_id varchar(64) NOT NULL, generation integer NOT NULL,
         rotated_at bigint, expires_at bigint NOT NULL, revoked_at bigint);
       ${Array.from({ length: 64 }, (_, i) => `INSERT INTO session VALUES ('session-${i}', '${client.client_id}', 0, NULL, ${Date.now() + 86_400_000}, NULL);`).join('\n')}`,
      (error) => (error ? reject(error) : resolve()),
    );
  });
  const rotation = database.prepare(
    'UPDATE session SET generation = ?, rotated_at = ? WHERE id = ? AND generation = ?',
  );
  const reading = database.prepare('SELECT client_id, generation, expires_at, revoked_at FROM session WHERE id = ?');
  return {
    rotate: (id, generation, next, done) =>
      rotation.run(next, Date.now(), id, generation, function (error) {
        done(!error && this.changes === 1);
      }),
    find: (id, done) => reading.all([id], (error, rows) => done(rows?.[0])),
  };
}
