import { createHmac, createPublicKey, randomBytes } from 'node:crypto';
import { errors, importJWK, type JWK, jwtVerify } from 'jose';
import type { SigningAlg } from '../src/base/auth.options.js';
import { SIGN } from '../src/core/keys/algorithms.js';
import { KeyRing } from '../src/core/keys/key-ring.js';
import { KeyService } from '../src/core/keys/key.service.js';
import { AccessTokenService } from '../src/core/sessions/access-token.service.js';
import { ISSUER, type Service, startService } from './service.js';

type Signed = (header: unknown, payload: unknown) => string;

/** A token of right form and claims, but for what is said. */
interface Workshop {
  header: object;
  claims: object;
  /** By our own key: the header and the payload as JSON, or a string or bytes as they are. */
  sign: Signed;
  right: string;
  now: number;
}

const base64url = (value: unknown) =>
  Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString(
    'base64url',
  );
const parts = (token: string) => token.split('.') as [string, string, string];
/** The same bytes in another spelling: the last character's unused bits are set. */
const respelled = (text: string) => {
  const bytes = Buffer.from(text, 'base64url');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const spellings = [...alphabet].map((last) => text.slice(0, -1) + last);
  return spellings.find((other) => other !== text && Buffer.from(other, 'base64url').equals(bytes));
};

/** Tokens, and whether they are good. */
const TOKENS: [string, boolean, (w: Workshop) => string][] = [
  ['as we issue it', true, ({ right }) => right],
  ['for several audiences', true, ({ header, claims, sign }) => sign(header, { ...claims, aud: ['a', ISSUER] })],
  [
    'whose typ is spelled application/at+jwt',
    true,
    (w) => w.sign({ ...w.header, typ: 'application/at+jwt' }, w.claims),
  ],
  ['whose typ is spelled in capitals', true, (w) => w.sign({ ...w.header, typ: 'Application/AT+JWT' }, w.claims)],
  ['with a header that means nothing here', true, (w) => w.sign({ ...w.header, jku: 'https://evil.test' }, w.claims)],
  ['valid from now on', true, (w) => w.sign(w.header, { ...w.claims, nbf: w.now })],
  ['with a claim twice, the last of them right', true, (w) => w.sign(w.header, twice(w.claims, 'exp', 1))],
  ['with a payload that has white space', true, (w) => w.sign(w.header, JSON.stringify(w.claims, null, 2))],
  ['with a subject that is null', true, (w) => w.sign(w.header, { ...w.claims, sub: null })],

  ['of another typ', false, (w) => w.sign({ ...w.header, typ: 'JWT' }, w.claims)],
  ['of a typ that ends like it', false, (w) => w.sign({ ...w.header, typ: 'text/at+jwt' }, w.claims)],
  ['of a typ in a list', false, (w) => w.sign({ ...w.header, typ: ['at+jwt'] }, w.claims)],
  ['without typ', false, (w) => w.sign({ ...w.header, typ: undefined }, w.claims)],
  ['without kid', false, (w) => w.sign({ ...w.header, kid: undefined }, w.claims)],
  ['of an unknown kid', false, (w) => w.sign({ ...w.header, kid: 'x' }, w.claims)],
  ['of a kid in a list', false, (w) => w.sign({ ...w.header, kid: [(w.header as { kid: string }).kid] }, w.claims)],
  ['without alg', false, (w) => w.sign({ ...w.header, alg: undefined }, w.claims)],
  ['of alg none', false, (w) => w.sign({ ...w.header, alg: 'none' }, w.claims)],
  ['of alg HS256', false, (w) => w.sign({ ...w.header, alg: 'HS256' }, w.claims)],
  ['of an alg in small letters', false, (w) => w.sign({ ...w.header, alg: alg(w).toLowerCase() }, w.claims)],
  ['of an alg in a list', false, (w) => w.sign({ ...w.header, alg: [alg(w)] }, w.claims)],
  ['of alg __proto__', false, (w) => w.sign({ ...w.header, alg: '__proto__' }, w.claims)],
  [
    'whose header has the alg in its prototype',
    false,
    (w) => w.sign(`{"__proto__":${JSON.stringify(w.header)}}`, w.claims),
  ],
  ['with an extension that it calls critical', false, (w) => w.sign({ ...w.header, crit: ['x'], x: 1 }, w.claims)],
  ['with an empty crit', false, (w) => w.sign({ ...w.header, crit: [] }, w.claims)],
  ['with a crit that is null', false, (w) => w.sign({ ...w.header, crit: null }, w.claims)],
  ['with an unencoded payload', false, (w) => w.sign({ ...w.header, crit: ['b64'], b64: false }, w.claims)],
  ['whose header is a list', false, (w) => w.sign([w.header], w.claims)],
  ['whose header is null', false, (w) => w.sign(null, w.claims)],
  ['whose header is a string', false, (w) => w.sign('"at+jwt"', w.claims)],
  ['whose header is no JSON', false, (w) => w.sign('{', w.claims)],
  ['whose header is no UTF-8', false, (w) => w.sign(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), w.claims)],
  ['with an empty header', false, (w) => `.${parts(w.right).slice(1).join('.')}`],
  ['whose payload is a list', false, (w) => w.sign(w.header, [w.claims])],
  ['whose payload is null', false, (w) => w.sign(w.header, null)],
  ['whose payload is a number', false, (w) => w.sign(w.header, 1)],
  ['whose payload is no JSON', false, (w) => w.sign(w.header, 'x')],
  ['whose payload is no UTF-8', false, (w) => w.sign(w.header, Buffer.from([0x22, 0xff, 0x22]))],
  ['with an empty payload', false, (w) => w.sign(w.header, '')],

  ['that is over', false, (w) => w.sign(w.header, { ...w.claims, exp: w.now })],
  ['that is not valid yet', false, (w) => w.sign(w.header, { ...w.claims, nbf: w.now + 1 })],
  ['without exp', false, (w) => w.sign(w.header, { ...w.claims, exp: undefined })],
  ['with an exp that is a string', false, (w) => w.sign(w.header, { ...w.claims, exp: String(w.now + 60) })],
  ['with an exp that is null', false, (w) => w.sign(w.header, { ...w.claims, exp: null })],
  ['with an nbf that is a string', false, (w) => w.sign(w.header, { ...w.claims, nbf: '0' })],
  ['with an nbf that is null', false, (w) => w.sign(w.header, { ...w.claims, nbf: null })],
  ['with an iat that is a string', false, (w) => w.sign(w.header, { ...w.claims, iat: '0' })],
  ['with a claim twice, the last of them wrong', false, (w) => w.sign(w.header, twice(w.claims, 'exp', 1, true))],
  ['without iat', false, (w) => w.sign(w.header, { ...w.claims, iat: undefined })],
  ['without jti', false, (w) => w.sign(w.header, { ...w.claims, jti: undefined })],
  ['without sub', false, (w) => w.sign(w.header, { ...w.claims, sub: undefined })],
  ['without client_id', false, (w) => w.sign(w.header, { ...w.claims, client_id: undefined })],
  ['without iss', false, (w) => w.sign(w.header, { ...w.claims, iss: undefined })],
  ['of another issuer', false, (w) => w.sign(w.header, { ...w.claims, iss: `${ISSUER}/` })],
  ['of an issuer in a list', false, (w) => w.sign(w.header, { ...w.claims, iss: [ISSUER] })],
  ['for nobody', false, (w) => w.sign(w.header, { ...w.claims, aud: undefined })],
  ['for an empty audience', false, (w) => w.sign(w.header, { ...w.claims, aud: [] })],
  ['for an audience in a list of lists', false, (w) => w.sign(w.header, { ...w.claims, aud: [[ISSUER]] })],
  ['for an audience in an object', false, (w) => w.sign(w.header, { ...w.claims, aud: { 0: ISSUER } })],

  ['that is empty', false, () => ''],
  ['of dots', false, () => '..'],
  ['of one part', false, (w) => parts(w.right)[0]],
  ['of two parts', false, (w) => parts(w.right).slice(0, 2).join('.')],
  ['of four parts', false, (w) => `${w.right}.`],
  ['of five parts', false, (w) => `${w.right}..`],
  ['without a signature', false, (w) => `${parts(w.right).slice(0, 2).join('.')}.`],
  ['with a shorter signature', false, (w) => w.right.slice(0, -4)],
  ['with a longer signature', false, (w) => `${w.right}AAAA`],
  ['with a signature of zeros', false, (w) => resigned(w.right, Buffer.alloc(64))],
  ['with a signature of chance', false, (w) => resigned(w.right, randomBytes(64))],
  ['with a signature in DER', false, (w) => resigned(w.right, Buffer.from([0x30, 6, 2, 1, 1, 2, 1, 1]))],
  ['with a huge signature', false, (w) => resigned(w.right, randomBytes(5000))],
  ['with another payload', false, (w) => replaced(w.right, 1, base64url({ ...w.claims, sub: 'root' }))],
  ['with another header', false, (w) => replaced(w.right, 0, base64url({ ...w.header, x: 1 }))],
  ['in the other alphabet', false, (w) => `${parts(w.right).slice(0, 2).join('.')}.${'+/'.repeat(43)}`],
  ['of Unicode', false, () => '令牌.🔑.签名'],
  ['with a NUL', false, (w) => w.right.replace('.', '\0.')],
];

/** Where we are stricter: one token has one spelling, and no header of ours says b64. */
const STRICTER: [string, (w: Workshop) => string | undefined][] = [
  ['padding', (w) => `${w.right}==`],
  ['a line feed at its end', (w) => `${w.right}\n`],
  ['a space at its beginning', (w) => ` ${w.right}`],
  ['a space in its signature', (w) => w.right.replace(/\.([^.]*)$/, '. $1')],
  [
    'another spelling of its signature',
    (w) => {
      const other = respelled(parts(w.right)[2]);
      return other && replaced(w.right, 2, other);
    },
  ],
  ['b64', (w) => w.sign({ ...w.header, b64: true }, w.claims)],
  ['a critical b64', (w) => w.sign({ ...w.header, crit: ['b64'], b64: true }, w.claims)],
];

const alg = ({ header }: Workshop) => (header as { alg: string }).alg;
const replaced = (token: string, i: number, part: string) => parts(token).toSpliced(i, 1, part).join('.');
const resigned = (token: string, signature: Buffer) => replaced(token, 2, signature.toString('base64url'));
const twice = (claims: object, name: string, value: unknown, last = false) => {
  const [json, other] = [JSON.stringify(claims).slice(1, -1), `${JSON.stringify(name)}:${JSON.stringify(value)}`];
  return `{${last ? `${json},${other}` : `${other},${json}`}}`;
};

describe.each<SigningAlg>(['ES256', 'RS256', 'EdDSA'])(
  'an access token signed by %s (RFC 7515, RFC 7519)',
  (signingAlg) => {
    let service: Service;
    let workshop: Workshop;
    let jwk: JWK;

    beforeAll(async () => {
      service = await startService({ auth: { signingAlg } });
      const keys = service.app.get(KeyService);
      jwk = (await keys.jwks()).keys[0] as JWK;
      const { privateKey } = service.app.get(KeyRing).keys[0]!;
      const sign: Signed = (header, payload) => {
        const input = `${base64url(header)}.${base64url(payload)}`;
        return `${input}.${SIGN[signingAlg](Buffer.from(input), privateKey)}`;
      };
      const now = Math.floor(service.clock.now() / 1000);
      const header = { alg: signingAlg, typ: 'at+jwt', kid: jwk.kid };
      const claims = { iss: ISSUER, sub: 'ada', aud: ISSUER, exp: now + 60, iat: now, jti: 'j', client_id: 'app' };
      workshop = { header, claims, sign, right: sign(header, claims), now };
    });
    afterAll(() => service.close());

    const ours = async (token: string) => (await service.app.get(AccessTokenService).verify(token)) !== undefined;
    /** What the library says to which resource servers turn. */
    const theirs = async (token: string) => {
      const key = await importJWK(jwk, signingAlg);
      return jwtVerify(
        token,
        (header) => {
          if (header.kid === jwk.kid && header.alg === jwk.alg) return key;
          throw new errors.JWKSNoMatchingKey();
        },
        {
          typ: 'at+jwt',
          issuer: ISSUER,
          audience: ISSUER,
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
          currentDate: new Date(service.clock.now()),
        },
      ).then(
        () => true,
        (error: unknown) => {
          if (error instanceof errors.JOSEError) return false;
          throw error;
        },
      );
    };

    it.each(TOKENS)('%s: is good: %s, as jose says', async (_, good, make) => {
      const token = make(workshop);
      expect([await ours(token), await theirs(token)]).toEqual([good, good]);
    });

    it.each(STRICTER)('has one spelling, and none with %s', async (_, make) => {
      const token = make(workshop);
      if (token !== undefined) expect(await ours(token)).toBe(false); // a signature without unused bits has one anyway
    });

    it('is good for ending a session though its time is up, but with nothing else wrong', async () => {
      const { header, claims, sign, now } = workshop;
      const tokens = service.app.get(AccessTokenService);
      const late = { ...claims, exp: now - 3600 };
      expect(await tokens.verify(sign(header, late), { expired: true })).toMatchObject({ sub: 'ada' });
      expect(await tokens.verify(sign(header, { ...late, exp: '1' }), { expired: true })).toBeUndefined();
      expect(
        await tokens.verify(sign(header, { ...late, iss: 'https://evil.test' }), { expired: true }),
      ).toBeUndefined();
    });

    it('is not good under the public key as a secret (RFC 8725 §3.1)', async () => {
      const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
      const input = `${base64url({ ...workshop.header, alg: 'HS256' })}.${base64url(workshop.claims)}`;
      expect(await ours(`${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`)).toBe(false);
    });
  },
);
