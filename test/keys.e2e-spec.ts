import { readFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import request from 'supertest';
import { type SigningAlg } from '../src/base/auth.options.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { KeyService } from '../src/core/keys/key.service.js';
import { AppModule } from '../src/service/app.module.js';
import { readSettings } from '../src/service/settings.js';
import { signIn as signInAt } from './fixtures.js';
import { ISSUER, SECRET, startService, type Service } from './service.js';
import { onSqlite } from './databases.js';

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
    const [row] = await service.sql('SELECT * FROM auth_signing_key');
    const sealed = Buffer.from(row!.sealed_private_key as string, 'base64url');
    expect(sealed.includes(Buffer.from('06082a8648ce3d030107', 'hex'))).toBe(false); // the OID of P-256
    const columns = ['alg', 'created_at', 'first_of', 'kid', 'sealed_private_key', 'signs_from', 'succeeds'];
    expect(Object.keys(row as object).sort()).toEqual(columns);
  });

  it('rotate: the new one is published at once, signs after six minutes, and the old one goes a day later', async () => {
    await start('ES256');
    const keys = service.app.get(KeyService);
    const old = (await jwks()).keys[0]!.kid;
    const { kid } = await keys.rotate();
    expect((await jwks()).keys.map((key) => key.kid)).toEqual([kid, old]);
    const before = (await signIn()).access_token;
    expect((await verify(before)).protectedHeader.kid).toBe(old);
    service.clock.advance(359);
    expect((await verify((await signIn()).access_token)).protectedHeader.kid).toBe(old);
    service.clock.advance(1);
    expect((await verify((await signIn()).access_token)).protectedHeader.kid).toBe(kid);
    expect((await verify(before)).protectedHeader.kid).toBe(old);
    service.clock.advance(86_400);
    expect(await keys.removeExpired()).toBe(0);
    service.clock.advance(1);
    expect(await keys.removeExpired()).toBe(1);
    expect((await jwks()).keys.map((key) => key.kid)).toEqual([kid]);
  });

  /** Another process, with options of its own. */
  const beside = (signingAlg: SigningAlg) =>
    startService({ auth: { signingAlg }, settings: { databaseUrl: service.databaseUrl } });
  const signsWith = async () => (await verify((await signIn()).access_token)).protectedHeader.alg;

  it('of an algorithm that was not asked for here are published, and never sign', async () => {
    await start('RS256');
    const other = await beside('ES256');
    const stray = await other.app.get(KeyService).rotate();
    await other.close();
    service.clock.advance(31);
    expect((await jwks()).keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'ES256', 'RS256']);
    service.clock.advance(3600);
    expect(stray.signs_from).toBeLessThan(service.clock.now());
    expect(await signsWith()).toBe('RS256');
    service.clock.advance(7 * 86_400);
    await service.app.get(KeyService).removeExpired();
    expect((await jwks()).keys.map(({ alg }) => alg)).toContain('RS256');
    expect(await signsWith()).toBe('RS256');
  });

  it('of another algorithm take over once they have been published everywhere for the whole life of the JWKS', async () => {
    await start('ES256');
    const old = (await jwks()).keys[0]!.kid;
    const later = await beside('RS256');
    const tokenOf = async (process: Service) =>
      (await process.token({ ...client, grant_type: 'client_credentials' })).body.access_token as string;
    expect((await verify(await tokenOf(later))).protectedHeader.kid).toBe(old);
    // the copy of a verifier that asked, just before it knew the new key, a process that had just read its keys
    service.clock.advance(30);
    const copy = createLocalJWKSet(await jwks());
    later.clock.advance(30 + 300 - 1);
    const { protectedHeader } = await jwtVerify(await tokenOf(later), copy, {
      currentDate: new Date(later.clock.now()),
    });
    expect(protectedHeader.kid).toBe(old);
    later.clock.advance(31);
    service.clock.advance(360);
    expect((await verify(await tokenOf(later))).protectedHeader.alg).toBe('RS256');
    await later.close();
  });

  it('are one where several processes start at once on an empty database', async () => {
    await start('ES256');
    await service.sql('DELETE FROM auth_signing_key');
    const all = await Promise.all([beside('ES256'), beside('ES256'), beside('ES256')]);
    const kids = all.map(({ app }) => decodeProtectedHeader(app.get(KeyService).sign('JWT', {})).kid);
    expect(new Set(kids).size).toBe(1);
    expect(await service.sql('SELECT kid FROM auth_signing_key')).toEqual([{ kid: kids[0] }]);
    await Promise.all(all.map((process) => process.close()));
  });

  it('are not made by who only looks at the database: it writes nothing', async () => {
    await start('RS256');
    await service.sql('DELETE FROM auth_signing_key');
    const rows = async () => service.sql('SELECT * FROM auth_signing_key');
    /** All that is in the file; on a server, in the table that somebody could have written to. */
    const contents = async () => {
      if (!onSqlite) return rows();
      await service.sql('PRAGMA wal_checkpoint(TRUNCATE)');
      return readFileSync(service.file);
    };
    const before = await contents();
    const settings = readSettings({ AUTH_SECRET: SECRET, DATABASE_URL: service.databaseUrl, AUTH_ISSUER: ISSUER });
    const reader = await NestFactory.createApplicationContext(
      AppModule.forRoot({ ...settings, newDatabase: 'refuse' }),
      {
        logger: false,
      },
    );
    expect(await reader.get(KeyService).list()).toEqual([]);
    await reader.get(ClientService).list();
    expect(() => reader.get(KeyService).sign('JWT', {})).toThrow('there is no signing key yet');
    await reader.close();
    expect(await rows()).toEqual([]);
    expect(await contents()).toEqual(before);
  });
});
