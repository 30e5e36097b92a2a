import type { LookupAddress } from 'node:dns';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { JwksFetcher } from '../src/core/clients/jwks-fetcher.js';
import { isPublicAddress } from '../src/core/clients/public-address.js';

const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };

describe('fetching a jwks_uri', () => {
  describe('goes to public addresses alone', () => {
    it.each([
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.255',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
      '192.168.1.1',
      '198.18.0.1',
      '203.0.113.7',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      'fe80::1',
      'fe80::1%lo',
      'fc00::1',
      'fd12:3456::1',
      'ff02::1',
      '2001:0:7f00:1::',
      '2001:db8::1',
      '2002:7f00:1::',
    ])('not to %s', (address) => expect(isPublicAddress(address)).toBe(false));

    it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])('but to %s', (address) =>
      expect(isPublicAddress(address)).toBe(true),
    );

    it.each([
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://localhost/',
      'https://169.254.169.254/latest/meta-data/',
    ])('so not to %s', (uri) => expect(new JwksFetcher().fetch(uri)).rejects.toThrow('not public'));

    it('nor where one of several addresses is not', async () => {
      class TwoFaced extends JwksFetcher {
        protected override resolve = async () => [{ address: '8.8.8.8', family: 4 }, LOOPBACK];
      }
      await expect(new TwoFaced().fetch('https://two.example/')).rejects.toThrow('not public');
    });

    it('and by https alone', () => expect(new JwksFetcher().fetch('http://8.8.8.8/')).rejects.toThrow('not https'));
  });

  describe('from a server', () => {
    let server: Server;
    let answer: RequestListener;
    let lookups: string[];

    /** Takes the test's own server for a public one. */
    class Fetcher extends JwksFetcher {
      protected override readonly timeout: number = 300;
      protected override isAllowed = () => true;
      protected override async resolve(host: string): Promise<LookupAddress[]> {
        lookups.push(host);
        return [LOOPBACK];
      }
      protected override connection(addresses: LookupAddress[]) {
        return { ...super.connection(addresses), ca: CERTIFICATE };
      }
    }
    const fetch = (host = 'keys.example') =>
      new Fetcher().fetch(`https://${host}:${(server.address() as AddressInfo).port}/jwks?x=1`);

    beforeAll(async () => {
      server = createServer({ key: KEY, cert: CERTIFICATE }, (req, res) => answer(req, res));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    beforeEach(() => (lookups = []));
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    it('takes JSON of any content type, under the name in the URL, looked up once', async () => {
      let seen: unknown;
      answer = (request, response) => {
        seen = [request.headers.host?.split(':')[0], request.url];
        response.setHeader('content-type', 'text/html').end('{"keys":[]}');
      };
      expect(await fetch()).toEqual({ keys: [] });
      expect(seen).toEqual(['keys.example', '/jwks?x=1']);
      expect(lookups).toEqual(['keys.example']);
    });

    it.each<[string, RequestListener, string]>([
      ['a redirect', (_, response) => response.writeHead(302, { location: 'https://keys.example/' }).end(), '302'],
      ['an error', (_, response) => response.writeHead(500).end(), '500'],
      ['what is no JSON', (_, response) => response.end('<html>'), 'JSON'],
      ['more than 64 KiB', (_, response) => response.end(`"${'x'.repeat(65_536)}"`), 'more than 65536 bytes'],
      ['nothing in time', () => undefined, 'abort'],
      ['half of it in time', (_, response) => response.write('{'), 'abort'],
    ])('refuses %s', async (_, listener, problem) => {
      answer = listener;
      await expect(fetch()).rejects.toThrow(problem);
    });

    it('refuses a certificate for another name', () => expect(fetch('other.example')).rejects.toThrow('altnames'));
  });
});

/** Self-signed, for keys.example, until 2125; made for this test and used nowhere else. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgIUDmMBHz61hjMbRS0Df61fNMnd4OQwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMa2V5cy5leGFtcGxlMCAXDTI2MTEyMjIzMzYwMloYDzIxMjYx
MDI5MjMzNjAyWjAXMRUwEwYDVQQDDAxrZXlzLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASRmDm7Yrh+8lRICyloNOWlgoEmNK+zaZQRSSGZE+Farjqi
Bu12HfMa2p6Gg4TEMfGfGKGeAPfQHS8gOi9x7A8co2wwajAdBgNVHQ4EFgQUcnfL
LRtxg3J6Noxg8agdLWYqToMwHwYDVR0jBBgwFoAUcnfLLRtxg3J6Noxg8agdLWYq
ToMwDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxrZXlzLmV4YW1wbGUwCgYI
KoZIzj0EAwIDSAAwRQIgJp1ggCdFlsJKGaXeL1jAQ4Cg7crXzDxWQ3Ln2rm8Tx4C
IQC6CyM2hvE/CxE0opxsgKye1csUHnbqnL+OosfIblqs4Q==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgz5PtCfloApatXthK
hNywZ7gyCZDumi4dAAKw49UUkYuhRANCAASRmDm7Yrh+8lRICyloNOWlgoEmNK+z
aZQRSSGZE+FarjqiBu12HfMa2p6Gg4TEMfGfGKGeAPfQHS8gOi9x7A8c
-----END PRIVATE KEY-----
`;
