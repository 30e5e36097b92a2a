import request from 'supertest';
import { signIn } from './fixtures.js';
import { type Service, startService } from './service.js';
import { titleOf, Visitor } from './visitor.js';

/** `XXXX-XXXX` as people and their keyboards write it. */
const WAYS: [string, (code: string) => string][] = [
  ['as it is shown', (code) => code],
  ['in small letters', (code) => code.toLowerCase()],
  ['without the dash', (code) => code.replace('-', '')],
  ['with spaces around it', (code) => ` ${code} `],
  ...'\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u30fc\u00ad \u00a0\u202f\u3000\u2009'
    .split('')
    .map((mark): (typeof WAYS)[number] => [
      `with U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
      (code) => code.replace('-', mark),
    ]),
  ['in full-width letters', fullWidth],
  ['in small full-width letters', (code) => fullWidth(code.toLowerCase())],
  ['with an invisible mark at its end', (code) => `${code}\u200b`],
];

function fullWidth(text: string): string {
  return text.replace(/[!-~]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));
}

describe('a user code (RFC 8628 §6.1)', () => {
  let service: Service;
  let visitor: Visitor;
  let token: string;

  beforeAll(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
    visitor = new Visitor(service.url);
    await visitor.signIn(await visitor.get('/device'));
    token = (await signIn(service)).access_token;
  });
  afterAll(() => service.close());

  const start = async () => {
    const { body } = await request(service.url)
      .post('/oauth2/device_authorization')
      .type('form')
      .send({ client_id: 'app' });
    return (body as { user_code: string }).user_code;
  };

  it.each(WAYS)('is taken on the page and from a link %s, and shown as the device shows it', async (_, write) => {
    const code = await start();
    const entry = await visitor.get('/device', { user_code: write(code) });
    const confirm = await visitor.submit(entry, { user_code: write(code) });
    expect(titleOf(confirm)).toBe('Connect this device?');
    expect(confirm.text).toContain(code);
    const linked = /name="user_code" type="text" value="([^"]*)"/.exec(entry.text)![1];
    expect(linked).toBe(write(code));
  });

  it.each(WAYS)('is taken at /auth/v1/user/device/authorize %s', async (_, write) => {
    const code = await start();
    const approve = (user_code: string) =>
      request(service.url)
        .post('/auth/v1/user/device/authorize')
        .set('Authorization', `Bearer ${token}`)
        .send({ user_code });
    expect((await approve(`${write(code)}X`)).status).toBe(400); // ignoring is for what stands between letters
    expect((await approve(write(code))).body).toEqual({});
  });
});
