import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { type SigningAlg } from '../src/base/auth.options.js';
import { KeyService } from '../src/core/keys/key.service.js';
import { signIn as signInAt } from './fixtures.js';
import { startService, type Service } from './service.js';

describe('signing keys', () => {
  let service: Service;
  let client: { client_id: string; client_secret?: string };

  const start = async (signingAlg: SigningAlg) => {
    service = await startService({ auth: { signingAlg } });
    client = await service.client({ id: 'backend', public: false, scopes: ['openid'], default_scope: ['openid'] });
    await service.user('ada', 'correct horse');
  };
  afterEach(() => service.close());

  const jwks = async () => (await request(service.url).get('/auth/v1/certs')).body as JSONWebKeySet;
  const signIn = () => signInAt(service, client);
  const verify = async (token: string) =>
    jwtVerify(token, createLocalJWKSet(await jwks()), { currentDate: new Date(service.clock.now()) });

  it.each<[SigningAlg, string, string[]]>([
    ['ES256', 'EC', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    ['RS256', 'RSA', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
    ['EdDSA', 'OKP', ['alg', 'crv', 'kid', 'kty', 'use', 'x']],
  ])('sign %s tokens that jose verifies, and publish no private part', async (alg, kty, members) => {
    await start(alg);
    const [key] = (await jwks()).keys;
    expect(Object.keys(key!).sort()).toEqual(members);
    expect(key).toMatchObject({ kty, alg, use: 'sig' });
    const { access_token, id_token } = await signIn();
    expect((await verify(access_token)).protectedHeader).toEqual({ alg, typ: 'at+jwt', kid: key!.kid });
    expect((await verify(id_token)).protectedHeader).toEqual({ alg, typ: 'JWT', kid: key!.kid });
  });

  it('are kept encrypted', async () => {
    await start('ES256');
    const [row] = await service.app.get(DataSource).query('SELECT * FROM auth_signing_key');
    const sealed = Buffer.from(row.sealed_private_key as string, 'base64url');
    expect(sealed.includes(Buffer.from('06082a8648ce3d030107', 'hex'))).toBe(false); // the OID of P-256
    expect(Object.keys(row as object).sort()).toEqual(['alg', 'created_at', 'kid', 'sealed_private_key', 'signs_from']);
  });

  it('rotate: the new one is published at once, signs after five minutes, and the old one goes a day later', async () => {
    await start('ES256');
    const keys = service.app.get(KeyService);
    const old = (await jwks()).keys[0]!.kid;
    const { kid } = await keys.rotate();
    expect((await jwks()).keys.map((key) => key.kid)).toEqual([kid, old]);
    const before = (await signIn()).access_token;
    expect((await verify(before)).protectedHeader.kid).toBe(old);
    service.clock.advance(300);
    expect((await verify((await signIn()).access_token)).protectedHeader.kid).toBe(kid);
    expect((await verify(before)).protectedHeader.kid).toBe(old);
    service.clock.advance(86_400);
    expect(await keys.removeExpired()).toBe(0);
    service.clock.advance(1);
    expect(await keys.removeExpired()).toBe(1);
    expect((await jwks()).keys.map((key) => key.kid)).toEqual([kid]);
  });
});
