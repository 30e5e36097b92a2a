import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { ClientService } from '../src/core/clients/client.service.js';
import { DeviceAuthorizationService } from '../src/core/devices/device-authorization.service.js';
import { type Service, startService } from './service.js';
import { REQUEST } from './visitor.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const SHOTS = join(__dirname, 'screenshots');
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const isInstalled = existsSync(CHROMIUM);
if (!isInstalled)
  console.warn(`browser tests skipped: no browser at ${CHROMIUM} (apt-get install chromium, or CHROMIUM=<path>)`);

(isInstalled ? describe : describe.skip)('the pages in Chromium', () => {
  let service: Service;
  let browser: Browser;
  /** The client's own site, on another origin. */
  let app: Server;
  let callback: string;

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    app = createServer((request, response) => {
      response.setHeader('content-type', 'text/html');
      const elsewhere = /[?&]state=elsewhere/.test(request.url!);
      if (elsewhere) response.writeHead(302, { location: `${callback.replace('localhost', '127.0.0.1')}?hop` });
      response.end('<!doctype html><title>The app</title>');
    }).listen(0);
    callback = `http://localhost:${(app.address() as AddressInfo).port}/callback`;
    service = await startService({ reachable: true, auth: { limitIp: false, limitAccount: false } });
    const values = {
      name: 'Acme Photos',
      redirect_uris: [callback],
      scopes: ['openid', 'profile', 'email', 'photos:read'],
    };
    await service.client({ id: 'app', ...values });
    // confidential: a public app at this callback could be any app, and is always asked about
    await service.client({ id: 'ours', ...values, public: false, first_party: true });
    await service.client({
      id: 'hopping',
      ...values,
      public: false,
      first_party: true,
      redirect_uris: [callback, 'http://127.0.0.1/x'],
    });
    await service.user('ada', 'correct horse');
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    app?.close();
    await service?.close();
  });

  async function open(options: BrowserContextOptions, work: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 720, height: 760 }, ...options });
    context.setDefaultTimeout(10_000);
    try {
      await work(await context.newPage());
    } finally {
      await context.close();
    }
  }

  const authorizeUrl = (more: Record<string, string> = {}) =>
    `${service.url}/oauth2/authorize?${new URLSearchParams({ ...REQUEST, redirect_uri: callback, ...more }).toString()}`;
  const signIn = async (page: Page, password = 'correct horse') => {
    await page.fill('#username', 'ada');
    await page.fill('#password', password);
    await page.click('button');
  };
  const startDevice = async ({ app } = service) => {
    const { client } = (await app.get(ClientService).load('app'))!;
    return app.get(DeviceAuthorizationService).start(client);
  };

  describe.each([
    ['light', 'en-US'],
    ['dark', 'en-US'],
    ['light', 'zh-CN'],
    ['dark', 'zh-CN'],
  ] as const)('%s, %s', (colorScheme, locale) => {
    it('are accessible (WCAG 2.2 AA by axe-core), and look as in the screenshots', async () => {
      await open({ colorScheme, locale }, async (page) => {
        const problems: Record<string, string[]> = {};
        const look = async (name: string, tab = page) => {
          const path = join(SHOTS, `${name}-${colorScheme}-${locale}.png`);
          // for eyes alone; a busy machine now and then has no frame to show
          await tab.screenshot({ path }).catch(() => tab.screenshot({ path }));
          await tab.evaluate(axe.source);
          const { violations } = await tab.evaluate<axe.AxeResults>('axe.run()');
          problems[name] = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
        };
        await page.goto(authorizeUrl({ scope: 'openid profile email photos:read' }));
        await look('sign-in');
        await signIn(page, 'wrong');
        await look('sign-in-wrong');
        const tab = await page.context().newPage();
        await tab.goto(authorizeUrl());
        await signIn(page);
        await look('consent');
        await tab.fill('#username', 'bob');
        await tab.fill('#password', 'battery staple');
        await tab.click('button');
        await look('sign-in-changed', tab);
        const { user_code } = await startDevice();
        await page.goto(`${service.url}/device`);
        await look('device');
        await page.goto(`${service.url}/device?user_code=${user_code}`);
        await look('device-prefilled');
        await page.click('button');
        await look('device-confirm');
        await page.click('button[value=allow]');
        await look('device-done');
        await page.goto(`${service.url}/device`);
        await page.fill('#user_code', 'AAAA-AAAA');
        await page.click('button');
        await look('device-wrong');
        await page.goto(`${service.url}/oauth2/logout`);
        await look('sign-out');
        await page.click('button');
        await look('signed-out');
        await page.goto(`${service.url}/oauth2/authorize?client_id=nobody`);
        await look('error');
        await page.setViewportSize({ width: 360, height: 640 });
        await page.goto(authorizeUrl());
        await look('sign-in-phone');
        expect(problems).toEqual(Object.fromEntries(Object.keys(problems).map((name) => [name, []])));
      });
    }, 60_000);
  });

  it('let people sign in and agree by keyboard alone', async () => {
    await open({}, async (page) => {
      await page.goto(authorizeUrl());
      await page.keyboard.type('ada');
      await page.keyboard.press('Tab');
      await page.keyboard.type('correct horse');
      await page.keyboard.press('Enter');
      await page.waitForSelector('button[value=allow]');
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').getAttribute('value')).toBe('allow');
      service.clock.advance(1); // they read it
      await page.keyboard.press('Enter');
      await page.waitForURL((url) => url.href.startsWith(`${callback}?code=`));
    });
  });

  it('work without JavaScript, form_post included', async () => {
    await open({ javaScriptEnabled: false }, async (page) => {
      await page.goto(authorizeUrl({ client_id: 'ours', response_mode: 'form_post' }));
      await signIn(page);
      await page.click('button'); // "Continue"
      await page.waitForURL(callback);
    });
  });

  it('submit form_post by themselves where there is JavaScript: the one script that CSP allows', async () => {
    await open({}, async (page) => {
      await page.goto(authorizeUrl({ client_id: 'ours', response_mode: 'form_post' }));
      await signIn(page);
      await page.waitForURL(callback);
    });
  });

  it('keep nobody signed in after signing out', async () => {
    await open({}, async (page) => {
      await page.goto(authorizeUrl({ client_id: 'ours' }));
      await signIn(page);
      await page.waitForURL((url) => url.href.startsWith(callback));
      await page.goto(`${service.url}/oauth2/logout`);
      await page.click('button');
      await page.goto(authorizeUrl({ client_id: 'ours' }));
      expect(await page.title()).toMatch(/^Sign in · /);
    });
  });

  it('let a callback send the browser on to the origins that its client has registered', async () => {
    await open({}, async (page) => {
      await page.goto(authorizeUrl({ client_id: 'hopping', state: 'elsewhere' }));
      await signIn(page);
      await page.waitForURL((url) => url.search === '?hop');
    });
  });

  it('do not let it be sent on to any other origin', async () => {
    await open({}, async (page) => {
      await page.goto(authorizeUrl({ client_id: 'ours', state: 'elsewhere' }));
      const refusal = page.waitForEvent('console', (message) => message.text().includes('form-action'));
      await signIn(page);
      await refusal;
      expect(page.url()).not.toContain('?hop');
    });
  });

  it('let both of two tabs in, and a double click on "Sign in"', async () => {
    await open({}, async (page) => {
      const tab = await page.context().newPage();
      for (const one of [page, tab]) await one.goto(authorizeUrl({ client_id: 'ours' }));
      for (const one of [page, tab]) {
        await signIn(one);
        await one.waitForURL((url) => url.href.startsWith(`${callback}?code=`));
      }
    });
    await open({}, async (page) => {
      await page.goto(authorizeUrl({ client_id: 'ours' }));
      await page.fill('#username', 'ada');
      await page.fill('#password', 'correct horse');
      await page.dblclick('button');
      await page.waitForURL((url) => url.href.startsWith(`${callback}?code=`));
    });
  });

  describe.each([
    ['in our style', [80, 150, 250, undefined], undefined],
    ["in a host's own style, where the server alone holds it back", [150, undefined], 'body { font: 1rem sans-serif }'],
  ])('let a double click decide nothing on the page after, %s', (_, moments, style) => {
    let styled: Service;

    beforeAll(async () => {
      const templates = mkdtempSync(join(tmpdir(), 'templates-'));
      if (style !== undefined) writeFileSync(join(templates, 'style.css'), style);
      styled = await startService({ reachable: true, auth: { limitIp: false, limitAccount: false, templates } });
      await styled.client({ id: 'app', name: 'Acme Photos', redirect_uris: [callback] });
      await styled.user('ada', 'correct horse');
    });
    afterAll(() => styled.close());

    const middleOf = async (page: Page, selector: string) => {
      const { x, y, width, height } = (await page.locator(selector).boundingBox())!;
      return [x + width / 2, y + height / 2] as const;
    };
    /** Clicks a button, and a moment later where the next page has that one. */
    const doubleClick = async (
      page: Page,
      selector: string,
      ms: number | undefined,
      next: readonly [number, number],
    ) => {
      const button = await middleOf(page, selector);
      const began = Date.now();
      await page.mouse.click(...button);
      if (ms === undefined) await page.waitForSelector('button[value=allow]');
      else await page.waitForTimeout(ms);
      styled.clock.step((began - Date.now()) / 1000); // however slow this machine is, it is no moment later
      await page.mouse.click(...next);
      await page.waitForLoadState('networkidle');
    };

    it.each(moments)(
      'the second click after %s ms (undefined: as soon as it is there)',
      async (ms) => {
        await open({ javaScriptEnabled: false }, async (page) => {
          await page.goto(`${styled.url}/device`);
          await signIn(page);
          await page.waitForSelector('#user_code');
          for (const decision of ['allow', 'deny']) {
            const { user_code, device_code } = await startDevice(styled);
            const confirm = `button[value=${decision}]`;
            await page.fill('#user_code', user_code);
            await page.click('button');
            const there = await middleOf(page, confirm);
            await page.goto(`${styled.url}/device?user_code=${user_code}`);
            await doubleClick(page, 'button', ms, there);
            expect(await page.title()).toMatch(/^Connect this device\?/);
            expect(await styled.app.get(DeviceAuthorizationService).find(device_code)).toMatchObject({
              status: 'pending',
            });
            styled.clock.advance(5); // they read it
            await page.click(confirm);
            await page.click('.way a');
          }
        });
        for (const decision of ['allow', 'deny']) {
          const url = authorizeUrl({ prompt: 'consent' }).replace(service.url, styled.url);
          let there: readonly [number, number] = [0, 0];
          await open({ javaScriptEnabled: false }, async (page) => {
            await page.goto(url);
            await signIn(page);
            there = await middleOf(page, `button[value=${decision}]`);
          });
          await open({ javaScriptEnabled: false }, async (page) => {
            await page.goto(url);
            await page.fill('#username', 'ada');
            await page.fill('#password', 'correct horse');
            await doubleClick(page, 'button', ms, there);
            await page.waitForSelector('button[value=allow]');
            expect(await page.title()).toMatch(/^Allow access\?/);
            styled.clock.advance(5);
            await page.click(`button[value=${decision}]`);
            await page.waitForURL((at) => at.href.startsWith(callback));
          });
        }
      },
      60_000,
    );
  });

  it('are not shown in a frame (clickjacking)', async () => {
    await open({}, async (page) => {
      await page.goto(callback);
      await page.setContent(`<iframe src="${authorizeUrl()}"></iframe>`);
      await page.waitForLoadState('networkidle');
      const frame = page.frames().find((one) => one !== page.mainFrame());
      expect(frame === undefined ? 0 : await frame.locator('form').count()).toBe(0);
    });
  });
});
