import request, { type Response } from 'supertest';
import { Captcha, type CaptchaSubject } from '../src/core/captcha/captcha.js';
import { FIRST_PARTY_GRANTS } from './cloudbase/sdk.js';
import { signIn } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';
import { answerOf, formOf, titleOf, Visitor } from './visitor.js';

const REQUIRED = { error: 'captcha_required', reason: 'CAPTCHA_REQUIRED', message: 'Solve a captcha first.' } as const;
const WRONG = { error: 'captcha_invalid', reason: 'CAPTCHA_INVALID' } as const;
const PICTURE = 'data:image/png;base64,iVBORw0KGgo=';

describe('a captcha that the host demands', () => {
  let service: Service;
  let demands: (subject: CaptchaSubject) => boolean;
  let data: string;
  const solved = new Set<string>();

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app', grant_types: FIRST_PARTY_GRANTS });
    await service.user('ada', 'correct horse');
    let riddles = 0;
    Object.assign(service.app.get<Captcha>(Captcha), {
      demands: async (subject: CaptchaSubject) => demands(subject),
      create: async () => ({ token: `riddle-${++riddles}`, data, expires_in: 60 }),
      verify: async (riddle: string, key: string) => {
        if (riddle !== `riddle-${riddles}` || key !== '42') return undefined;
        solved.add(`solved-${riddle}`);
        return { captcha_token: `solved-${riddle}`, expires_in: 60 };
      },
      redeem: async (token: string) => solved.delete(token),
    });
  });
  beforeEach(() => {
    demands = () => true;
    data = PICTURE;
    solved.clear();
  });
  afterAll(() => service.close());

  const post = (path: string, body: object): Promise<Response> =>
    request(service.url)
      .post(path)
      .set('x-device-id', 'a-device')
      .send({ client_id: 'app', ...body });
  const ADA = { username: 'ada', password: 'correct horse' };
  const PROOF = { email: 'grace@example.com', verification_token: 'x' };

  const DOORS: [string, string, object][] = [
    ['sign_in', '/auth/v1/signin', ADA],
    ['sign_in', '/auth/v1/token', { grant_type: 'password', ...ADA }],
    ['sign_in', '/oauth2/token', { grant_type: 'password', ...ADA }],
    ['sign_in', '/auth/v1/signin', { username: 'grace@example.com', verification_token: 'x' }],
    [
      'sign_in',
      '/auth/v1/token',
      { grant_type: 'verification', username: 'grace@example.com', verification_token: 'x' },
    ],
    [
      'sign_in',
      '/oauth2/token',
      { grant_type: 'urn:nest-auth:grant-type:verification', username: 'grace@example.com', verification_token: 'x' },
    ],
    ['sign_in_anonymously', '/auth/v1/signin/anonymously', {}],
    ['sign_in_anonymously', '/auth/v1/token', { grant_type: 'anonymous' }],
    ['sign_in_anonymously', '/oauth2/token', { grant_type: 'urn:nest-auth:grant-type:anonymous' }],
    ['sign_up', '/auth/v1/signup', PROOF],
    ['sign_up', '/auth/v1/token', { grant_type: 'sign_up', ...PROOF }],
    ['sign_up', '/oauth2/token', { grant_type: 'urn:nest-auth:grant-type:sign_up', ...PROOF }],
    ['send_code', '/auth/v1/verification', { email: 'grace@example.com' }],
  ];
  const word = (path: string) => (path.startsWith('/oauth2') ? { word: 'access_denied' } : {});

  it.each(DOORS)('is asked for where %s is done, at %s by %j', async (action, path, body) => {
    demands = (subject) => subject.action === action;
    expectError(await post(path, body), { ...REQUIRED, ...word(path) });
    expectError(await post(`${path}?captcha_token=wrong`, body), { ...WRONG, ...word(path) });
    for (const [query, more] of [
      ['?captcha_token=a-token', {}],
      ['', { captcha_token: 'a-token' }],
    ] as const) {
      solved.add('a-token');
      const { body: answer } = await post(`${path}${query}`, { ...body, ...more });
      expect(JSON.stringify(answer)).not.toContain('CAPTCHA');
      expect(solved.size).toBe(0);
    }
  });

  it('at CloudBase’s route is asked for at every other door of the same action', async () => {
    demands = ({ path }) => path === '/auth/v1/signin';
    for (const path of ['/auth/v1/token', '/oauth2/token']) {
      expectError(await post(path, { grant_type: 'password', ...ADA }), { ...REQUIRED, ...word(path) });
    }
    expect((await post('/auth/v1/signin/anonymously', {})).status).toBe(200);
  });

  it('tells nobody whether the password was right', async () => {
    const answers = await Promise.all(
      ['correct horse', 'wrong'].map((password) =>
        post('/auth/v1/token', { grant_type: 'password', ...ADA, password }),
      ),
    );
    for (const answer of answers) expectError(answer, REQUIRED);
  });

  it('is not even thought of for a refresh or a code', async () => {
    demands = () => false;
    const { refresh_token } = await signIn(service);
    demands = () => {
      throw new Error('asked');
    };
    const refreshed = await post('/auth/v1/token', { grant_type: 'refresh_token', refresh_token });
    expect(refreshed.status).toBe(200);
    const codes = await post('/oauth2/token', { grant_type: 'authorization_code', code: 'x' });
    expect(codes.body).toMatchObject({ error: 'invalid_grant' });
  });

  describe.each([
    ['/oauth2/authorize', (visitor: Visitor) => visitor.authorize()],
    ['/device', (visitor: Visitor) => visitor.get('/device')],
  ])('on the sign-in page of %s', (_, open) => {
    it('stands as a picture with a field, and is solved without JavaScript', async () => {
      const visitor = new Visitor(service.url);
      const page = await open(visitor);
      expect(page.text).toContain(`<img src="${PICTURE}" alt="Picture to read">`);
      expect(page.text).toContain('<label for="captcha_answer">What does the picture say?</label>');
      expect(page.headers['content-security-policy']).toContain("img-src 'self' data:;");
      expect(page.text).not.toContain('<script');

      const unsolved = await visitor.submit(page, ADA);
      expect([unsolved.status, titleOf(unsolved)]).toEqual([400, 'Sign in']);
      expect(unsolved.text).toContain('Solve a captcha first.');
      const wrong = await visitor.submit(unsolved, { ...ADA, captcha_answer: '41' });
      expect(wrong.text).toContain('The captcha was solved wrongly or too long ago.');
      const mistyped = await visitor.submit(wrong, { ...ADA, password: 'wrong', captcha_answer: '42' });
      expect(mistyped.text).toContain('The username or password is wrong.');
      expect(formOf(mistyped).fields['captcha_riddle']).not.toBe(formOf(wrong).fields['captcha_riddle']);
      const done = await visitor.submit(mistyped, { ...ADA, captcha_answer: '42' });
      expect(done.text ?? '').not.toContain('role="alert"');
      expect(titleOf(done)).not.toBe('Sign in');
    });

    it('is a link where the host has a page of its own', async () => {
      data = 'https://captcha.example.com/';
      const page = await open(new Visitor(service.url));
      expect(page.text).toMatch(
        /<a href="https:\/\/captcha\.example\.com\/\?state=&amp;token=riddle-\d+" target="_blank"/,
      );
      expect(page.text).toContain('<label for="captcha_answer">Answer to the puzzle</label>');
    });

    it('is not there where none is demanded', async () => {
      demands = () => false;
      const visitor = new Visitor(service.url);
      const page = await open(visitor);
      expect(page.text).not.toContain('captcha');
      expect(page.headers['content-security-policy']).toContain("img-src 'self';");
    });
  });

  it('lets who has solved it go on to the client', async () => {
    const visitor = new Visitor(service.url);
    const page = await visitor.authorize();
    const consent = await visitor.submit(page, { ...ADA, captcha_answer: '42' });
    expect(answerOf(await visitor.submit(consent, { decision: 'allow' }))).toHaveProperty('code');
  });
});
