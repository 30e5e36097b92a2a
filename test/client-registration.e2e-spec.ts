import { type NewClient, ClientService } from '../src/core/clients/client.service.js';
import { AuthError } from '../src/base/errors/auth.error.js';
import { type Service, startService } from './service.js';

const URI = {
  form: 'must be an absolute URI in ASCII, without spaces',
  absolute: 'must be an absolute URI',
  scheme: 'must be https, or a private-use scheme such as com.example.app:',
  http: 'must be https, but for a loopback host',
  host: 'must name a host',
  user: 'must not have a user name',
  fragment: 'must not have a fragment',
  wildcard: 'must not have a wildcard',
};
const WORDS = 'must be scope tokens (RFC 6749 §3.3), without spaces';

/** Not where a browser may be sent. */
const BAD_URIS: [string, string][] = [
  ['javascript:alert(1)', URI.scheme],
  ['JavaScript:alert(1)', URI.absolute],
  ['javascript://example.com/%0aalert(1)', URI.scheme],
  ['data:text/html,x', URI.scheme],
  ['vbscript:x', URI.scheme],
  ['file:///etc/passwd', URI.scheme],
  ['blob:https://app.example.com/1', URI.scheme],
  ['about:blank', URI.scheme],
  ['view-source:https://app.example.com', URI.scheme],
  ['ftp://app.example.com/', URI.scheme],
  ['myapp://callback', URI.scheme], // RFC 8252 §7.1
  ['https://app.example.com/ü', URI.form],
  ['https://аpp.example.com/', URI.form],
  ['https://app.example.com/a b', URI.form],
  [' https://app.example.com/', URI.form],
  ['https://app.example.com/\n', URI.form],
  ['java\tscript:alert(1)', URI.form],
  ['https://app.example.com\\@evil.example/', URI.form],
  ['https://app.example.com/%', URI.form],
  ['https://app.example.com/<script>', URI.form],
  ['https://*.example.com/', URI.wildcard],
  ['https://app.example.com/*', URI.wildcard],
  ['*', URI.absolute],
  ['https://user:password@app.example.com/', URI.user],
  ['https://@app.example.com/', URI.user],
  ['com.example.app://user@host/', URI.user],
  ['https://app.example.com/#fragment', URI.fragment],
  ['https://app.example.com/#', URI.fragment],
  ['http://app.example.com/', URI.http],
  ['http://127.0.0.1.example.com/', URI.http],
  ['http://localhost.example.com/', URI.http],
  ['http://127.1/', URI.http],
  ['http:127.0.0.1', URI.http],
  ['http://192.168.0.1/', URI.http],
  ['https:app.example.com', URI.host],
  ['https:///callback', URI.host],
  ['/callback', URI.absolute],
  ['app.example.com/callback', URI.absolute],
  ['//app.example.com/', URI.absolute],
  ['https://app.example.com:99999/', URI.absolute],
  ['', URI.absolute],
  [`https://app.example.com/${'x'.repeat(2048)}`, 'must have at most 2048 characters'],
];
const GOOD_URIS = [
  'https://app.example.com',
  'https://app.example.com:8443/cb?tenant=1&x=%20',
  'https://xn--pp-mia.example/',
  'http://127.0.0.1/callback',
  'http://[::1]:51004/callback',
  'http://localhost:3000/',
  'com.example.app:/callback',
  'com.example.app://callback',
];

describe('ClientService.create(), whichever door a client comes by', () => {
  let service: Service;
  let clients: ClientService;
  let n = 0;

  beforeAll(async () => {
    service = await startService();
    clients = service.app.get(ClientService);
    await clients.create({ id: 'taken' });
  });
  afterAll(() => service.close());

  const refusal = async (values: Partial<NewClient>, secret?: string) => {
    const id = `new-${++n}`;
    const error: unknown = await clients.create({ id, ...values }, secret).catch((thrown: unknown) => thrown);
    expect(await clients.load(values.id ?? id)).toEqual(values.id === 'taken' ? expect.anything() : undefined);
    expect(error).toBeInstanceOf(AuthError);
    return error as AuthError;
  };

  describe.each(['redirect_uris', 'post_logout_redirect_uris'] as const)('%s (RFC 9700 §2.1, §2.6)', (field) => {
    it.each(BAD_URIS)('refuses %j', async (uri, description) => {
      expect(await refusal({ [field]: ['https://app.example.com/', uri] })).toMatchObject({
        code: 'invalid_argument',
        reason: 'PARAMETER_INVALID',
        fields: [{ field, description }],
      });
    });

    it('takes https, a loopback host, and a private-use scheme (RFC 8252 §7)', async () => {
      const { client } = await clients.create({ id: `good-${field}`, [field]: GOOD_URIS });
      expect(client[field]).toEqual(GOOD_URIS);
    });
  });

  it.each<[string, string, string, Partial<NewClient>]>([
    ['id', 'no id', 'must be 1 to 128 printable ASCII characters', { id: '' }],
    ['id', 'a space', 'must be 1 to 128 printable ASCII characters', { id: ' x' }],
    ['id', 'a long one', 'must be 1 to 128 printable ASCII characters', { id: 'x'.repeat(129) }],
    ['id', 'an umlaut', 'must be 1 to 128 printable ASCII characters', { id: 'ü' }],
    ['id', 'one that is taken', 'is the id of another client', { id: 'taken' }],
    ['name', 'no name', 'must have 1 to 200 characters', { name: '' }],
    ['name', 'an endless name', 'must have 1 to 200 characters', { name: 'x'.repeat(201) }],
    ['name', 'a line break', 'must not contain control characters', { name: 'Bank\nAllow' }],
    ['name', 'a name that turns the line around', 'must not contain control characters', { name: '\u202eknaB' }],
    [
      'access_token_ttl',
      'a negative life',
      'must be a whole number of seconds from 30 to 86400',
      { access_token_ttl: -5 },
    ],
    ['access_token_ttl', 'none', 'must be a whole number of seconds from 30 to 86400', { access_token_ttl: 0 }],
    ['access_token_ttl', 'NaN', 'must be a whole number of seconds from 30 to 86400', { access_token_ttl: NaN }],
    ['access_token_ttl', 'a half', 'must be a whole number of seconds from 30 to 86400', { access_token_ttl: 60.5 }],
    [
      'refresh_token_ttl',
      'a negative life',
      'must be a whole number of seconds from 60 to 315360000',
      { refresh_token_ttl: -5 },
    ],
    [
      'refresh_token_ttl',
      'for ever',
      'must be a whole number of seconds from 60 to 315360000',
      { refresh_token_ttl: Infinity },
    ],
    ['scopes', 'a scope with a space', WORDS, { scopes: ['read all'] }],
    ['scopes', 'an empty scope', WORDS, { scopes: [''] }],
    ['scopes', 'a quotation mark', WORDS, { scopes: ['"'] }],
    ['scopes', 'one scope twice', 'must name each once', { scopes: ['a', 'a'] }],
    ['default_scope', 'more than the scopes', 'must be part of scopes', { scopes: ['a'], default_scope: ['a', 'b'] }],
    ['default_scope', 'a scope with a space', WORDS, { scopes: ['a'], default_scope: ['a b'] }],
    [
      'grant_types',
      'a grant type with a space',
      'must be names without spaces',
      { grant_types: ['password refresh_token'] },
    ],
    ['grant_types', 'an empty one', 'must be names without spaces', { grant_types: [''] }],
    [
      'token_endpoint_auth_method',
      'a public client with a secret',
      'must be none for a public client, and for no other',
      { public: true, token_endpoint_auth_method: 'client_secret' },
    ],
    ['jwks', 'keys that are none', 'the JWKS has no keys', { jwks: {} as NewClient['jwks'] }],
    ['jwks_uri', 'an address that is none', 'must be an https URL without credentials and fragment', { jwks_uri: 'x' }],
  ])('%s: refuses %s', async (field, _, description, values) => {
    expect(await refusal(values)).toMatchObject({
      code: 'invalid_argument',
      reason: 'PARAMETER_INVALID',
      fields: [{ field, description }],
    });
  });

  it('id: refuses the sub of a user, and what could be one (RFC 9068 §5)', async () => {
    const sub = await service.user('ada', 'correct horse');
    for (const id of [sub, sub.toUpperCase()]) {
      expect((await refusal({ id })).fields).toEqual([
        { field: 'id', description: 'must not be a UUID, for those are the ids of users' },
      ]);
    }
  });

  it.each(['abc', 'x'.repeat(31), 'x'.repeat(257), `${'x'.repeat(32)}\n`, 'ü'.repeat(32)])(
    'secret: refuses %j',
    async (secret) => {
      expect((await refusal({}, secret)).fields).toEqual([
        { field: 'secret', description: 'must be 32 to 256 printable ASCII characters' },
      ]);
    },
  );
});
