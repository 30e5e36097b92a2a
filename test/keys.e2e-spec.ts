import { readFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { type SigningAlg } from '../src/base/auth.options.js';
import { ClientService } from '../src/core/clients/client.service.js';
import { KeyService } from '../src/core/keys/key.service.js';
import { AccessTokenService } from '../src/core/sessions/access-token.service.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { AppModule } from '../src/service/app.module.js';
import { readSettings } from '../src/service/settings.js';
import { signIn as signInAt } from './fixtures.js';
import { expectError, ISSUER, SECRET, startService, type Service } from './service.js';
import { itOnPostgres, onSqlite } from './databases.js';

describe('signing keys', () => {
  let service: Service;
  let client: { client_id: string; client_secret?: string };
  let ada: string;

  const start = async (signingAlg: SigningAlg) => {
    service = await startService({ auth: { signingAlg } });
    client = await service.client({ id: 'backend', public: false, scopes: ['openid'], default_scope: ['openid'] });
    ada = await service.user('ada', 'correct horse');
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

  describe('that have signed for 90 days', () => {
    const rowsOf = (of: Service) => of.app.get(KeyService).list();
    const later = (seconds: number, ...services: Service[]) => services.forEach(({ clock }) => clock.advance(seconds));

    it('get one successor, of any number of processes, and a second one 90 days after it', async () => {
      await start('ES256');
      const all = [service, await beside('ES256'), await beside('ES256')];
      const sweep = () => Promise.all(all.map(({ app }) => app.get(Sweeper).sweep()));
      const [first] = (await jwks()).keys;
      later(90 * 86_400 - 1, ...all);
      await sweep();
      expect(await rowsOf(service)).toHaveLength(1);
      later(1, ...all);
      await sweep();
      const [next, ...older] = await rowsOf(service);
      expect(older.map(({ key, signing }) => [key.kid, signing])).toEqual([[first!.kid, true]]);
      expect(next).toEqual({
        key: expect.objectContaining({
          succeeds: first!.kid,
          created_at: service.clock.now(),
          signs_from: service.clock.now() + 360_000,
        }),
        signing: false,
      });
      expect((await jwks()).keys.map(({ kid }) => kid)).toEqual([next!.key.kid, first!.kid]);
      await sweep();
      expect(await rowsOf(service)).toHaveLength(2);
      later(360, ...all);
      expect((await verify((await signIn()).access_token)).protectedHeader.kid).toBe(next!.key.kid);
      later(90 * 86_400, ...all);
      await sweep();
      expect((await rowsOf(service)).map(({ key }) => key.succeeds)).toEqual([next!.key.kid, first!.kid]);
      for (const other of all.slice(1)) await other.close();
    });

    it.each([
      [0, 3650, 1],
      [7, 7, 2],
    ])('keyRotation %d: after %d days there are %d', async (keyRotation, days, keys) => {
      service = await startService({ auth: { keyRotation } });
      later(days * 86_400, service);
      await service.app.get(Sweeper).sweep();
      expect(await rowsOf(service)).toHaveLength(keys);
    });

    it('stay where a command has made a new one meanwhile', async () => {
      await start('ES256');
      later(80 * 86_400, service);
      await service.app.get(KeyService).rotate();
      later(10 * 86_400, service);
      await service.app.get(Sweeper).sweep();
      expect(await rowsOf(service)).toHaveLength(1);
    });
  });

  describe('that are retired', () => {
    let other: Service;
    beforeEach(async () => {
      await start('ES256');
      other = await beside('ES256');
    });
    afterEach(() => other.close());

    const kids = async (at: Service) =>
      ((await request(at.url).get('/auth/v1/certs')).body as JSONWebKeySet).keys.map(({ kid }) => kid);
    const userinfo = (at: Service, token: string) =>
      request(at.url).get('/oauth2/userinfo').auth(token, { type: 'bearer' });
    const kidOf = (token: string) => decodeProtectedHeader(token).kid!;
    const retire = (kid: string) => service.app.get(KeyService).retire(kid);

    it('leave the JWKS, verify nothing and sign nothing, on every node within two seconds; refresh tokens go on', async () => {
      const { access_token, refresh_token } = await signIn();
      expect((await userinfo(other, access_token)).status).toBe(200);
      const retired = kidOf(access_token);
      const { kid } = await retire(retired);
      expect(await kids(service)).toEqual([kid]);
      other.clock.advance(2.001);
      const refused = await userinfo(other, access_token);
      expectError(refused, { error: 'unauthenticated', word: 'invalid_token', reason: 'ACCESS_TOKEN_INVALID' });
      expect(await kids(other)).toEqual([kid]);
      const refreshed = await other.token({ ...client, grant_type: 'refresh_token', refresh_token });
      expect(refreshed.status).toBe(200);
      expect(kidOf(refreshed.body.access_token as string)).toBe(kid);
      expect((await userinfo(service, refreshed.body.access_token as string)).status).toBe(200);
    });

    it('sign nothing at a node that was idle: it asks before it signs', async () => {
      const retired = kidOf((await signIn()).access_token);
      const { kid } = await retire(retired);
      other.clock.advance(3600);
      const { body } = await other.token({ ...client, grant_type: 'client_credentials' });
      expect(kidOf(body.access_token as string)).toBe(kid);
    });

    it('are followed by another one that is published, where there is one', async () => {
      const old = kidOf((await signIn()).access_token);
      const { kid: next } = await service.app.get(KeyService).rotate();
      expect((await retire(old)).kid).toBe(next);
      expect(kidOf((await signIn()).access_token)).toBe(next);
      expect(await kids(service)).toEqual([next]);
    });

    it('do not change who signs, where they have not begun', async () => {
      const old = kidOf((await signIn()).access_token);
      const { kid: next } = await service.app.get(KeyService).rotate();
      expect((await retire(next)).kid).toBe(old);
      expect(await kids(service)).toEqual([old]);
    });

    it('have a successor again, in time, where the one that they had was retired', async () => {
      for (const { clock } of [service, other]) clock.advance(90 * 86_400);
      await service.app.get(Sweeper).sweep();
      const [first, old] = await kids(service);
      await retire(first!);
      await Promise.all([service, other].map(({ app }) => app.get(Sweeper).sweep()));
      expect(await kids(service)).toEqual([expect.any(String), old]);
    });

    it('all at once leave one that signs', async () => {
      const old = kidOf((await signIn()).access_token);
      const { kid: next } = await service.app.get(KeyService).rotate();
      await Promise.all([retire(old), other.app.get(KeyService).retire(next)]);
      const left = await service.app.get(KeyService).list();
      expect(left.filter(({ signing }) => signing)).toHaveLength(1);
      expect(left.map(({ key }) => key.kid)).not.toEqual(expect.arrayContaining([old]));
      expect(left.map(({ key }) => key.kid)).not.toEqual(expect.arrayContaining([next]));
    });

    it('are refused by name where there is no such key', async () => {
      await expect(retire('nobody')).rejects.toThrow('there is no signing key nobody');
    });

    it('are not known of while the database is away: what is known goes on verifying', async () => {
      const { access_token } = await signIn();
      const verified = () => service.app.get(AccessTokenService).verify(access_token);
      await service.sql('ALTER TABLE auth_signing_key RENAME TO auth_signing_key_away');
      service.clock.advance(10);
      expect(await Promise.all([verified(), verified()])).toEqual(Array(2).fill(expect.objectContaining({ sub: ada })));
      expect((await signIn()).access_token).toEqual(expect.any(String));
      const said = [service, other].flatMap(({ log }) => log.map(({ msg }) => msg));
      expect(said.filter((msg) => msg === 'could not reload the signing keys')).toHaveLength(1);
      await service.sql('ALTER TABLE auth_signing_key_away RENAME TO auth_signing_key');
      await retire(kidOf(access_token));
      service.clock.advance(3);
      expect(await verified()).toBeUndefined();
    });

    itOnPostgres('keep nobody waiting whose database does not answer', async () => {
      const { access_token } = await signIn();
      const stranger = await new DataSource({ type: 'postgres', url: service.databaseUrl }).initialize();
      await stranger.query('BEGIN');
      await stranger.query('LOCK TABLE auth_signing_key IN ACCESS EXCLUSIVE MODE');
      service.clock.advance(10);
      for (const [least, most] of [
        [450, 2000],
        [0, 100],
      ]) {
        const began = performance.now();
        const verified = Array.from({ length: 5 }, () => service.app.get(AccessTokenService).verify(access_token));
        expect(await Promise.all(verified)).toEqual(Array(5).fill(expect.objectContaining({ sub: ada })));
        expect(performance.now() - began).toBeGreaterThanOrEqual(least!);
        expect(performance.now() - began).toBeLessThan(most!);
      }
      await stranger.query('ROLLBACK');
      await stranger.destroy();
    });
  });
});
