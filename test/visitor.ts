import { createHash } from 'node:crypto';
import request, { type Response } from 'supertest';
import { clocks } from './service.js';

export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'; // RFC 7636 appendix B
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
export const CALLBACK = 'https://app.example.com/callback';

/** A good authorization request of the client `app`. */
export const REQUEST = {
  response_type: 'code',
  client_id: 'app',
  redirect_uri: CALLBACK,
  scope: 'openid profile',
  state: 'st-1',
  nonce: 'n-1',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
};

export type Fields = Record<string, string | string[] | undefined>;

/** A form as it stands on a page. */
export interface Form {
  action: string;
  fields: Record<string, string>;
}

/** A person with a browser, as far as HTTP goes: keeps cookies, reads forms and follows redirects of ours. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  headers: Record<string, string> = {};

  constructor(private readonly url: string) {}

  async get(path: string, query: Fields = {}): Promise<Response> {
    const search = encode(query);
    return this.keep(await this.dress(request(this.url).get(search === '' ? path : `${path}?${search}`)));
  }

  async post(path: string, fields: Fields = {}): Promise<Response> {
    return this.keep(await this.dress(request(this.url).post(path)).type('form').send(encode(fields)));
  }

  /** Follows redirects for as long as they stay with us. */
  async follow(response: Response): Promise<Response> {
    let last = response;
    while (last.status === 303 && last.headers['location']!.startsWith('/'))
      last = await this.get(last.headers['location']!);
    return last;
  }

  /** Asks for authorization and goes on to the page, or to the answer. */
  async authorize(more: Fields = {}): Promise<Response> {
    return this.follow(await this.get('/oauth2/authorize', { ...REQUEST, ...more }));
  }

  /** Sends a page's form, a decision as slowly as people read. */
  async submit(page: Response, fields: Fields = {}): Promise<Response> {
    if (page.text.includes('class="actions decision"')) clocks.get(this.url)!.advance(1);
    return this.submitAtOnce(page, fields);
  }

  async submitAtOnce(page: Response, fields: Fields = {}): Promise<Response> {
    const form = formOf(page);
    return this.follow(await this.post(form.action, { ...form.fields, ...fields }));
  }

  /** Signs in on a sign-in page, and goes on from there. */
  signIn(page: Response, username = 'ada', password = 'correct horse'): Promise<Response> {
    return this.submit(page, { username, password });
  }

  private dress(test: request.Test): request.Test {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return test.redirects(0).set({ ...this.headers, ...(cookie && { cookie }) });
  }

  private keep(response: Response): Response {
    for (const cookie of (response.headers['set-cookie'] as unknown as string[] | undefined) ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/max-age=0/i.test(cookie)) this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return response;
  }
}

/** The first form of a page. */
export function formOf(page: Response): Form {
  const form = /<form method="post" action="([^"]*)">([\s\S]*?)<\/form>/.exec(page.text);
  if (!form) throw new Error(`no form on the page: ${page.status} ${page.text}`);
  const inputs = [...form[2]!.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  return {
    action: unescapeHtml(form[1]!),
    fields: Object.fromEntries(inputs.map(([, name, value]) => [name!, unescapeHtml(value!)])),
  };
}

export const titleOf = (page: Response): string | undefined =>
  unescapeHtml(/<h1>(.*)<\/h1>/.exec(page.text)?.[1] ?? '');

/** What the client gets at its redirect_uri. */
export function answerOf(response: Response): Record<string, string> {
  expect(response.status).toBe(303);
  const { origin, pathname, searchParams } = new URL(response.headers['location']!);
  return { redirect_uri: origin + pathname, ...Object.fromEntries(searchParams) };
}

function encode(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, one] as [string, string]),
  );
  return new URLSearchParams(pairs).toString();
}

function unescapeHtml(text: string): string {
  return text.replace(
    /&(lt|gt|quot|#39|amp);/g,
    (_, name: 'lt') => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name],
  );
}
