import { randomBytes } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { ClientService } from '../core/clients/client.service.js';
import { UserService } from '../core/users/user.service.js';

/**
 * Gives an empty database a client and a user to try the service with.
 * @returns the body of a token request; undefined where the database was not empty
 */
export async function seedDemo(app: INestApplicationContext): Promise<string | undefined> {
  const clients = app.get(ClientService);
  const users = app.get(UserService);
  if ((await clients.list({ limit: 1 })).length > 0 || (await users.list({ limit: 1 })).length > 0) return undefined;
  const password = randomBytes(9).toString('base64url');
  const scopes = ['openid', 'profile'];
  const demo = {
    id: 'demo',
    name: 'Demo',
    public: true,
    grant_types: ['password', 'refresh_token'],
    scopes,
    default_scope: scopes,
  };
  const isOurs = await clients.create(demo).catch(async (error: unknown) => {
    // another process on the same new database was faster, and prints what it made
    if (await clients.load(demo.id)) return undefined;
    throw error;
  });
  if (!isOurs) return undefined;
  await users.create({ username: 'demo', password, name: 'Demo' });
  return JSON.stringify({ client_id: 'demo', grant_type: 'password', username: 'demo', password });
}
