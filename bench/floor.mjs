// The floor: a bare node:http server that does only the work no token endpoint can leave out. It parses JSON, compares
// the SHA-256 of the client's secret in constant time, writes one prepared UPDATE where the grant needs one (the same
// sqlite3 package, WAL, synchronous = NORMAL), and signs ES256: once, or twice where the scope asks for openid.
// Started by run.mjs: node bench/floor.mjs <port> <database file> <client secret>
import { createHash, generateKeyPairSync, sign, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import sqlite3 from 'sqlite3';

const [port, file, secret] = process.argv.slice(2);
const secretHash = createHash('sha256').update(secret).digest();
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: 'floor' });

const database = new sqlite3.Database(file);
database.exec(
  `PRAGMA journal_mode = WAL;
   PRAGMA synchronous = NORMAL;
   CREATE TABLE session (id varchar(22) PRIMARY KEY, generation integer NOT NULL, rotated_at bigint);
   ${Array.from({ length: 64 }, (_, i) => `INSERT INTO session VALUES ('session-${i}', 0, NULL);`).join('\n')}`,
  (error) => {
    if (error) throw error;
    const rotation = database.prepare(
      'UPDATE session SET generation = ?, rotated_at = ? WHERE id = ? AND generation = ?',
    );
    createServer((request, response) => serve(request, response, rotation)).listen(Number(port), '127.0.0.1');
  },
);

function serve(request, response, rotation) {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (request.method !== 'POST') return answer(response, 405, {});
    const { client_id, client_secret, grant_type, refresh_token, scope = 'profile' } = JSON.parse(body);
    const sent = createHash('sha256').update(client_secret).digest();
    if (!timingSafeEqual(sent, secretHash)) return answer(response, 401, { error: 'unauthorized_client' });
    if (grant_type !== 'refresh_token') return answer(response, 200, tokens(client_id, scope));
    const [id, generation] = refresh_token.split('.');
    const next = Number(generation) + 1;
    rotation.run(next, Date.now(), id, Number(generation), function (error) {
      if (error || this.changes !== 1) return answer(response, 400, { error: 'invalid_grant' });
      answer(response, 200, { ...tokens(client_id, scope, id), refresh_token: `${id}.${next}` });
    });
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

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
