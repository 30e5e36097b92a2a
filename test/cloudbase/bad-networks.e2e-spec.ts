import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import request from 'supertest';
import { type Service, startService } from '../service.js';
import { LossyProxy } from './lossy-proxy.js';
import { DeviceStorage, FIRST_PARTY_GRANTS, oauthApp, rejection } from './sdk.js';

describe('@cloudbase/oauth where answers get lost and processes share a device', () => {
  let service: Service;
  let proxy: LossyProxy;

  beforeAll(async () => {
    service = await startService({ settings: { trustProxy: 1 } });
    proxy = await LossyProxy.to(service.url);
    // expires_in − 30 s is now: the SDK refreshes before every call
    await service.client({ id: 'short', grant_types: FIRST_PARTY_GRANTS, access_token_ttl: 30 });
    await service.user('ada', 'correct horse');
  });
  afterAll(async () => {
    await proxy.close();
    await service.close();
  });

  const signedIn = async () => {
    const app = oauthApp(proxy, new DeviceStorage(), 'short');
    await app.auth.signIn({ username: 'ada', password: 'correct horse' });
    await sleep(5); // expires_in − 30 s has passed now
    return app;
  };
  const whoIs = (accessToken: string) =>
    request(service.url).get('/auth/v1/user/me').set('Authorization', `Bearer ${accessToken}`);

  it('one lost answer to a refresh costs the SDK one retry and nothing else', async () => {
    const { client, storage } = await signedIn();
    const before = storage.session('short')!;
    proxy.lose('/auth/v1/token');
    const token = await client.getAccessToken();
    expect(proxy.left).toBe(0);
    expect((await whoIs(token)).status).toBe(200);
    expect(storage.session('short')!.refresh_token).not.toBe(before.refresh_token);
  });

  it('two lost answers in a row cost it two', async () => {
    const { client } = await signedIn();
    proxy.lose('/auth/v1/token', '/auth/v1/token');
    expect((await whoIs(await client.getAccessToken())).status).toBe(200);
  });

  it('three are more than it tries, and the session that it keeps still works', async () => {
    const { client, storage } = await signedIn();
    proxy.lose('/auth/v1/token', '/auth/v1/token', '/auth/v1/token');
    expect(await rejection(client.getAccessToken())).toMatchObject({ error: 'unreachable' });
    expect(storage.session('short')).toBeDefined();
    expect((await whoIs(await client.getAccessToken())).status).toBe(200);
  });

  it('a phone that changes networks while answers are lost, there and back again, stays signed in', async () => {
    const { client } = await signedIn();
    const [home, train] = ['203.0.113.7', '198.51.100.20'];
    for (const [before, after] of [
      [home, train],
      [train, home],
    ] as const) {
      proxy.travel(before, after);
      proxy.lose('/auth/v1/token', '/auth/v1/token'); // the SDK sends the token three times
      expect((await whoIs(await client.getAccessToken())).status).toBe(200);
      expect(proxy.left).toBe(0);
      await sleep(5);
    }
    expect((await whoIs(await client.getAccessToken())).status).toBe(200);
    const repeats = service.log.filter(({ event }) => event === 'refresh_token_repeated_elsewhere');
    expect(repeats).toHaveLength(2);
  });

  it('a lost answer to a sign-out leaves nobody signed in', async () => {
    const { auth, storage } = await signedIn();
    const { access_token } = storage.session('short')!;
    proxy.lose('/auth/v1/user/signout');
    expect(await auth.signOut({})).toEqual({});
    expect((await whoIs(access_token)).status).toBe(401);
  });

  it('two processes that share a device and refresh at once both stay signed in', async () => {
    const { storage } = await signedIn();
    const stored = JSON.stringify([...storage.items]);
    const processes = [0, 1].map(() => fork(resolve(__dirname, 'refresher.cjs'), [service.url, stored]));
    const said = () => Promise.all(processes.map(async (child) => (await once(child, 'message'))[0] as Outcome));
    await said(); // both are ready
    for (let round = 0; round < 3; round++) {
      const outcomes = said();
      for (const child of processes) child.send('go');
      for (const { error, access_token } of await outcomes) {
        expect(error).toBeUndefined();
        expect((await whoIs(access_token!)).status).toBe(200);
      }
    }
    for (const child of processes) child.kill();
  });
});

interface Outcome {
  error?: string;
  access_token?: string;
}
