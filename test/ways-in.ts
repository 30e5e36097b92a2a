import type { INestApplicationContext } from '@nestjs/common';
import { Command } from 'commander';
import request, { type Response } from 'supertest';
import { ClientService } from '../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import type { MakeAction, Result } from '../src/base/commands/command.js';
import * as sessions from '../src/core/sessions/sessions.commands.js';
import * as users from '../src/core/users/users.commands.js';
import * as clients from '../src/token/commands/clients.commands.js';
import { codesSentTo, FIRST_PARTY_GRANTS } from './cloudbase/sdk.js';
import { redeem, signIn } from './fixtures.js';
import type { Service, StartOptions } from './service.js';
import { startService } from './service.js';
import { answerOf, CALLBACK, CHALLENGE, Visitor } from './visitor.js';

/** Ada has proven that it is hers. */
export const EMAIL = 'ada@example.com';

/** Ada has proven who she is; the call takes what she got to the token endpoint. */
export type Redeem = () => Promise<Response>;

/** A service with Ada, and an application of the operator's own. */
export async function startWithAda(options: StartOptions = {}): Promise<{ service: Service; sub: string }> {
  const service = await startService({ ...options, auth: { limitIp: false, limitAccount: false, ...options.auth } });
  await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS, first_party: true });
  const sub = await service.user('ada', 'correct horse');
  await service.sql('UPDATE auth_user SET email = ?, login_email = ?', [EMAIL, EMAIL]);
  return { service, sub };
}

/** A token that proves Ada's address. */
export async function verificationToken(service: Service): Promise<string> {
  const post = (path: string, body: object) => request(service.url).post(`/auth/v1${path}?client_id=app`).send(body);
  const { verification_id } = (await post('/verification', { email: EMAIL })).body;
  const verification_code = codesSentTo(service, EMAIL).at(-1);
  return (await post('/verification/verify', { verification_id, verification_code })).body.verification_token as string;
}

/** Another process on the same database. */
export const startBeside = ({ databaseUrl }: Service): Promise<Service> =>
  startService({ settings: { databaseUrl }, auth: { limitIp: false, limitAccount: false } });

export function asAda(service: Service, bearer: string) {
  const call = (method: 'get' | 'post' | 'patch' | 'delete', path: string, body?: object): Promise<Response> =>
    request(service.url)[method](`/auth/v1${path}`).set('Authorization', `Bearer ${bearer}`).send(body);
  return call;
}

/** A browser that Ada is signed in with. */
export async function browserOfAda(service: Service): Promise<Visitor> {
  const visitor = new Visitor(service.url);
  answerOf(await visitor.signIn(await visitor.authorize()));
  return visitor;
}

export async function deviceCodes(service: Service) {
  const { client } = (await service.app.get(ClientService).find('app'))!;
  return service.app.get(DeviceAuthorizationService).start(client, 'openid');
}

const poll = (service: Service, device_code: string) =>
  service.token({ client_id: 'app', grant_type: 'device_code', device_code });

/** Ways in that take more than one request. */
export const WAYS_IN: Record<string, (service: Service) => Promise<Redeem>> = {
  'a refresh token': async (service) => {
    const { refresh_token } = await signIn(service);
    return () => service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
  },
  'an authorization code from the pages': async (service) => {
    const { code } = answerOf(await (await browserOfAda(service)).authorize());
    return () => redeem(service, code!);
  },
  "an authorization code from the application's own page": async (service) => {
    const { access_token } = await signIn(service);
    const { body } = await asAda(service, access_token)('post', '/user/authorize', {
      client_id: 'app',
      redirect_uri: CALLBACK,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
    });
    return () => redeem(service, body.code as string);
  },
  'a device that was approved on the page': async (service) => {
    const { user_code, device_code } = await deviceCodes(service);
    const visitor = await browserOfAda(service);
    await visitor.submit(await visitor.submit(await visitor.get('/device', { user_code }), { user_code }), {
      decision: 'allow',
    });
    return () => poll(service, device_code);
  },
  'a device that was approved in the application': async (service) => {
    const { access_token } = await signIn(service);
    const { user_code, device_code } = await deviceCodes(service);
    await asAda(service, access_token)('post', '/user/device/authorize', { user_code });
    return () => poll(service, device_code);
  },
};

/** A command of `nest-auth`, run in this process with the providers of a service. @returns what it prints */
export async function runCommand({ app }: Pick<Service, 'app'>, ...words: string[]): Promise<Result> {
  const program = new Command();
  let result: Result | undefined;
  for (const commands of [clients, sessions, users]) {
    const action: MakeAction =
      <A extends unknown[]>(work: (app: INestApplicationContext, ...args: A) => Promise<unknown>) =>
      async (...args: unknown[]) => {
        result = (await work(app, ...(args as A))) as Result;
      };
    commands.register(program, action);
  }
  await program.parseAsync(words, { from: 'user' });
  return result!;
}
