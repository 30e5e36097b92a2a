import request from 'supertest';
import { AuthDatabase } from '../src/base/database/auth-database.js';
import { signIn } from './fixtures.js';
import { type Service, startService } from './service.js';
import { answerOf, REQUEST, Visitor } from './visitor.js';

/** The routes of the running service, as Express has them. */
interface Layer {
  route?: { path: string; methods: Record<string, boolean> };
}

describe('HEAD (RFC 9110 §9.2.1: safe)', () => {
  let service: Service;
  let visitor: Visitor;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app', first_party: true, post_logout_redirect_uris: ['https://app.example.com/'] });
    await service.user('ada', 'correct horse');
  });
  beforeEach(async () => {
    visitor = new Visitor(service.url);
    await visitor.signIn(await visitor.authorize());
  });
  afterAll(() => service.close());

  const head = (path: string, query: object = {}) =>
    request(service.url)
      .head(path)
      .query(query)
      .redirects(0)
      .set('cookie', [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
  const push = async () => {
    const { body } = await request(service.url).post('/oauth2/par').type('form').send(REQUEST);
    return { client_id: 'app', request_uri: (body as { request_uri: string }).request_uri };
  };
  /** All that is in the database. */
  const everything = async () => {
    const { entityMetadatas } = service.app.get(AuthDatabase).dataSource;
    const tables = entityMetadatas.map(({ tableName }) => tableName).filter((name) => name !== 'auth_heartbeat');
    const rows = tables.map((name) => service.sql(`SELECT * FROM ${name}`));
    return JSON.stringify(await Promise.all(rows));
  };

  it('does not use up a request_uri', async () => {
    const query = await push();
    for (let i = 0; i < 2; i++) {
      const { status, headers, text } = await head('/oauth2/authorize', query);
      expect([status, headers['location'], headers['cache-control'], text]).toEqual([
        200,
        undefined,
        'no-store',
        undefined,
      ]);
    }
    expect(answerOf(await visitor.get('/oauth2/authorize', { ...query }))).toHaveProperty('code');
  });

  it('gives no code out, and signs nobody out', async () => {
    const before = await everything();
    await head('/oauth2/authorize', REQUEST);
    const other = new Visitor(service.url);
    const page = await other.get('/oauth2/authorize', REQUEST);
    await head(page.headers['location']!);
    await head('/oauth2/logout');
    await head('/oauth2/logout', { client_id: 'app', post_logout_redirect_uri: 'https://app.example.com/' });
    expect(await everything()).toBe(before);
    expect(answerOf(await visitor.authorize())).toHaveProperty('code');
  });

  it('changes nothing at any route that is there, whoever asks', async () => {
    const { access_token } = await signIn(service);
    const stack = (service.app.getHttpAdapter().getInstance() as { router: { stack: Layer[] } }).router.stack;
    const routes = stack.flatMap(({ route }) => (route?.methods['get'] || route?.methods['head'] ? [route.path] : []));
    expect(routes).toEqual(
      expect.arrayContaining(['/oauth2/authorize', '/auth/v1/certs', '/oauth2/logout', '/device']),
    );
    const query = await push();
    const before = await everything();
    for (const path of routes) {
      const asked = path.replace(/[:*]\w+/g, 'x');
      await head(asked, { ...REQUEST, ...query, user_code: 'AAAA-AAAA', token: access_token });
      await head(asked, REQUEST).set('Authorization', `Bearer ${access_token}`);
    }
    expect(await everything()).toBe(before);
  });
});
