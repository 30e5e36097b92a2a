import { Controller, Get } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Ajv } from 'ajv';
import request, { type Response } from 'supertest';
import { ClientService, UserService } from '../src/index.js';
import { type Host, startHost } from './host.js';

@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }
}

type Operations = Record<string, Record<string, Operation>>;
interface Operation {
  summary: string;
  tags: string[];
  security: object[];
  requestBody?: { content: Record<string, { schema: Body }> };
  parameters: { name: string }[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
interface Body {
  oneOf: { properties: Record<string, object> }[];
  properties: Record<string, object>;
  required?: string[];
}

const documentOf = ({ app }: Host): OpenAPIObject =>
  SwaggerModule.createDocument(app, new DocumentBuilder().addBearerAuth().addBasicAuth().build());

const pathsOf = (document: OpenAPIObject) => document.paths as unknown as Operations;

/** `METHOD path` of every operation. */
const listed = (document: OpenAPIObject): string[] =>
  Object.entries(pathsOf(document))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();

describe("a host's document of @nestjs/swagger", () => {
  let host: Host;
  let document: OpenAPIObject;
  let paths: Operations;

  beforeAll(async () => {
    host = await startHost({ controllers: [OrdersController] }, { openapi: true, revealAccounts: true });
    document = documentOf(host);
    paths = pathsOf(document);
    await host.app.get(ClientService).create({
      id: 'web',
      public: true,
      grant_types: ['password', 'refresh_token', 'urn:nest-auth:grant-type:verification'],
      scopes: ['openid', 'profile'],
      default_scope: ['openid', 'profile'],
    });
    await host.app.get(UserService).create({ username: 'ada', password: 'correct horse', email: 'ada@example.com' });
  });
  afterAll(() => host.close());

  it('shows the operations that there are, none of those that only say which there are, and its own', () => {
    expect(listed(document)).toEqual([
      'DELETE /auth/v1/user/authorized/devices/{device_id}',
      'DELETE /auth/v1/user/revoke/all',
      'GET /.well-known/oauth-authorization-server',
      'GET /.well-known/openid-configuration',
      'GET /auth/v1/certs',
      'GET /auth/v1/checkIfUserExist',
      'GET /auth/v1/token/introspect',
      'GET /auth/v1/user/authorize/info',
      'GET /auth/v1/user/me',
      'GET /device',
      'GET /oauth2/authorize',
      'GET /oauth2/logout',
      'GET /oauth2/userinfo',
      'GET /orders',
      'PATCH /auth/v1/user/contact',
      'PATCH /auth/v1/user/password',
      'PATCH /auth/v1/user/profile',
      'POST /auth/v1/captcha/data',
      'POST /auth/v1/captcha/data/verify',
      'POST /auth/v1/device/code',
      'POST /auth/v1/reset',
      'POST /auth/v1/revoke',
      'POST /auth/v1/signin',
      'POST /auth/v1/signin/anonymously',
      'POST /auth/v1/signup',
      'POST /auth/v1/token',
      'POST /auth/v1/token/clientCredential',
      'POST /auth/v1/user/authorize',
      'POST /auth/v1/user/basic/edit',
      'POST /auth/v1/user/device/authorize',
      'POST /auth/v1/user/signout',
      'POST /auth/v1/user/sudo',
      'POST /auth/v1/verification',
      'POST /auth/v1/verification/verify',
      'POST /oauth2/authorize',
      'POST /oauth2/device_authorization',
      'POST /oauth2/introspect',
      'POST /oauth2/logout',
      'POST /oauth2/par',
      'POST /oauth2/revoke',
      'POST /oauth2/token',
      'POST /oauth2/userinfo',
    ]);
  });

  it('says of each what it is for, what it answers and how it refuses, and has every model that it names', () => {
    const ours = Object.values(paths).flatMap((methods) => Object.values(methods));
    for (const { summary, tags, responses } of ours.filter(({ tags }) => tags.includes('auth'))) {
      expect([summary, tags]).toEqual([expect.stringMatching(/^[A-Z]/), ['auth']]);
      for (const status of ['400', '429', '500', '503']) expect(responses).toHaveProperty(status);
      expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
    }
    const named = [...JSON.stringify(document.paths).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      ([, name]) => name!,
    );
    expect(Object.keys(document.components!.schemas!)).toEqual(expect.arrayContaining([...new Set(named)]));
  });

  it('shows the token endpoint with each grant, what proves a client, and the answer', () => {
    const { requestBody, responses, security } = paths['/auth/v1/token']!['post']!;
    expect(Object.keys(requestBody!.content)).toEqual(['application/json', 'application/x-www-form-urlencoded']);
    const { schema } = requestBody!.content['application/json']!;
    expect(schema.oneOf.map(({ properties }) => properties['grant_type'])).toContainEqual({
      type: 'string',
      enum: ['password'],
    });
    expect(Object.keys(schema.properties)).toEqual([
      'client_id',
      'client_secret',
      'client_assertion_type',
      'client_assertion',
    ]);
    expect(security).toEqual([{ basic: [] }, {}]);
    expect(responses['200']!.content!['application/json']!.schema).toEqual({
      $ref: '#/components/schemas/AuthTokenResponse',
    });
    expect(document.components!.schemas!['AuthTokenResponse']).toMatchObject({
      required: ['token_type', 'access_token', 'expires_in', 'scope', 'sub', 'groups', 'need_weda_resource'],
      properties: { refresh_token: { type: 'string' }, groups: { type: 'array', items: { type: 'string' } } },
    });
  });

  it('takes bounds out of the rules that bodies are judged by', () => {
    const { schema } = paths['/auth/v1/user/authorize']!['post']!.requestBody!.content['application/json']!;
    expect(schema.required).toEqual(expect.arrayContaining(['client_id', 'redirect_uri']));
    expect(schema.properties['client_id']).toEqual({ type: 'string', maxLength: 128 });
  });

  it('says what is answered', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const { url } = host;
    const check = ({ status, body, type, text }: Response, path: string, method: string): void => {
      const { responses } = paths[path]![method]!;
      expect([path, method, Object.keys(responses)]).toEqual([path, method, expect.arrayContaining([String(status)])]);
      const schema = responses[String(status)]!.content?.[type]?.schema;
      if (status === 303) return;
      expect([path, status, schema]).toEqual([path, status, expect.anything()]);
      const valid = ajv.compile({ components: document.components, ...schema });
      expect([path, status, valid(type === 'text/html' ? text : body), valid.errors]).toEqual([
        path,
        status,
        true,
        null,
      ]);
    };
    const as = { client_id: 'web' };
    const signedIn = await request(url)
      .post('/auth/v1/token')
      .send({ ...as, grant_type: 'password', username: 'ada', password: 'correct horse' });
    check(signedIn, '/auth/v1/token', 'post');
    const bearer = { authorization: `Bearer ${signedIn.body.access_token}` };
    const sudo = await request(url).post('/auth/v1/user/sudo').set(bearer).send({ password: 'correct horse' });
    const credentials = { username: 'ada', password: 'correct horse' };

    const calls: [
      method: 'get' | 'post' | 'patch' | 'delete',
      path: string,
      body?: object,
      headers?: Record<string, string>,
    ][] = [
      ['post', '/auth/v1/token', {}],
      ['post', '/auth/v1/token', { ...as, grant_type: 'password', username: 'ada', password: 'x' }],
      ['post', '/oauth2/token', { client_id: 'nobody', grant_type: 'password' }],
      ['post', '/oauth2/token', { ...as, grant_type: 'password', ...credentials }],
      ['get', '/auth/v1/certs'],
      ['get', '/.well-known/openid-configuration'],
      ['get', '/oauth2/userinfo'],
      ['get', '/oauth2/userinfo', undefined, bearer],
      ['post', '/oauth2/introspect', { ...as, token: 'x' }],
      ['post', '/oauth2/revoke', { ...as, token: 'x' }],
      ['post', '/oauth2/par', as],
      ['post', '/oauth2/device_authorization', as],
      ['get', '/oauth2/authorize'],
      ['get', '/oauth2/logout'],
      ['get', '/device'],
      ['get', '/auth/v1/user/me'],
      ['get', '/auth/v1/user/me', undefined, bearer],
      ['patch', '/auth/v1/user/profile', { name: 'Ada', sudo_token: sudo.body.sudo_token }, bearer],
      ['patch', '/auth/v1/user/password', {}, bearer],
      ['patch', '/auth/v1/user/contact', {}, bearer],
      ['post', '/auth/v1/user/basic/edit', { nickname: 'Ada' }, bearer],
      ['post', '/auth/v1/user/authorize', as, bearer],
      ['post', '/auth/v1/user/device/authorize', { user_code: 'AAAA-AAAA' }, bearer],
      ['post', '/auth/v1/device/code', as],
      ['get', '/auth/v1/token/introspect', undefined, bearer],
      ['get', '/auth/v1/token/introspect'],
      ['post', '/auth/v1/verification', { ...as, email: 'ada@example.com' }],
      ['post', '/auth/v1/verification/verify', { ...as, verification_id: 'x', verification_code: '123456' }],
      ['post', '/auth/v1/reset', as],
      ['post', '/auth/v1/captcha/data', as],
      ['post', '/auth/v1/signin', { ...as, ...credentials }],
      ['post', '/auth/v1/signin/anonymously', as],
      ['post', '/auth/v1/signup', as],
      ['post', '/auth/v1/token/clientCredential', as],
      ['post', '/auth/v1/revoke', { ...as, token: 'x' }],
      ['post', '/auth/v1/user/signout', {}, bearer],
      ['delete', '/auth/v1/user/revoke/all', undefined, bearer],
    ];
    for (const [method, path, body, headers = {}] of calls) {
      check(await request(url)[method](path).set(headers).send(body), path, method);
    }
    check(sudo, '/auth/v1/user/sudo', 'post');
    check(
      await request(url).get('/auth/v1/checkIfUserExist?client_id=web&username=ada'),
      '/auth/v1/checkIfUserExist',
      'get',
    );
    check(await request(url).get('/auth/v1/user/authorize/info?client_id=web'), '/auth/v1/user/authorize/info', 'get');
  });
});

it('shows a route prefix, and what is left out is not there', async () => {
  const host = await startHost({}, { openapi: true, routePrefix: 'identity', without: ['oauth', 'cloudbase'] });
  expect(listed(documentOf(host))).toEqual(['GET /identity/certs', 'POST /identity/token']);
  await host.close();
});

it('shows nothing of ours where the host says so', async () => {
  const host = await startHost({ controllers: [OrdersController] }, { openapi: false });
  expect(listed(documentOf(host))).toEqual(['GET /orders']);
  await host.close();
});
