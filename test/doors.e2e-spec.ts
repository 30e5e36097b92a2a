import { Injectable, Module } from '@nestjs/common';
import request from 'supertest';
import {
  AuditSink,
  type AuditEvent,
  AuthError,
  AuthFeature,
  Captcha,
  ClientService,
  type Grant,
  GrantHandler,
  type Holder,
  Holdings,
  Holds,
  KeepsSignedIn,
  Pages,
  PasswordHasher,
  SignOutService,
  Sweeper,
  Sweeps,
  TokenIssuer,
  type TokenResponse,
  UserService,
  type Whose,
} from '../src/index.js';
import { type ErrorTable, say, oauth } from '../src/base/errors/error-table.js';
import { startHost } from './host.js';
import { expectError } from './service.js';

const LOTTERY_ERRORS = {
  lottery_closed: {
    error: 'lottery_closed',
    status: 409,
    code: 9,
    error_code: 40990,
    oauth: oauth('access_denied', 409),
    sentence: say('The lottery is closed.', '彩票已停售。'),
    reasons: { NO_DRAW_TODAY: say('There is no draw today.', '今天不开奖。') },
  },
  access_denied: { reasons: { TICKET_LOST: say('The ticket lost.', '彩票未中奖。') } },
} satisfies ErrorTable;

declare module '../src/base/errors/error-table.js' {
  interface ErrorTables {
    lottery: typeof LOTTERY_ERRORS;
  }
}

declare module '../src/oauth/pages/views.js' {
  interface Views {
    draw: object;
  }
}

const LOTTERY = 'urn:example:grant-type:lottery';

class NoParameters {}

@GrantHandler(LOTTERY, NoParameters)
class LotteryGrant implements Grant<NoParameters> {
  constructor(private readonly tokens: TokenIssuer) {}

  async exchange(): Promise<TokenResponse> {
    void this.tokens;
    throw new AuthError('lottery_closed', { reason: 'NO_DRAW_TODAY' });
  }
}

describe("a host's own module", () => {
  it('brings rows and reasons of errors, in both languages', async () => {
    @AuthFeature({ errors: LOTTERY_ERRORS })
    @Module({})
    class LotteryModule {}
    const host = await startHost({ imports: [LotteryModule] }, { providers: [LotteryGrant] });
    await host.app.get(ClientService).create({ id: 'app', public: true, grant_types: [LOTTERY] });
    const response = await request(host.url)
      .post('/auth/v1/token')
      .set('accept-language', 'zh-CN')
      .send({ client_id: 'app', grant_type: LOTTERY });
    expect(response.status).toBe(409);
    expect(response.body).toMatchObject({
      error: 'lottery_closed',
      error_code: 40990,
      code: 9,
      message: 'There is no draw today.',
    });
    expect(response.body.details).toContainEqual(expect.objectContaining({ locale: 'zh-CN', message: '今天不开奖。' }));
    await host.close();
  });

  it('cannot bring a row that is there already: the boot fails and names it', async () => {
    @AuthFeature({ errors: { invalid_grant: LOTTERY_ERRORS.lottery_closed } })
    @Module({})
    class RivalModule {}
    await expect(startHost({ imports: [RivalModule] })).rejects.toThrow(
      'two tables have a row for the error invalid_grant',
    );
  });

  it('brings pages with their sentences', async () => {
    @AuthFeature({
      pages: {
        templates: { draw: "<% layout('@layout', { title: it.t('draw.title') }) %><h1>draw</h1>" },
        messages: { 'draw.title': { en: 'The draw', 'zh-CN': '开奖' } },
      },
    })
    @Module({})
    class DrawModule {}
    @Injectable()
    class Draw {
      constructor(private readonly pages: Pages) {}

      show(): string {
        return this.pages.render({ name: 'draw', view: {}, language: 'zh-CN' });
      }
    }
    const host = await startHost({ imports: [DrawModule], providers: [Draw] });
    const html = host.app.get(Draw).show();
    expect(html).toContain('<title>开奖 · auth.example.com</title>');
    await host.close();
  });

  it('has its expired rows swept, and its sign-ins ended with all others', async () => {
    @Injectable()
    @Sweeps()
    @KeepsSignedIn()
    class Kiosks {
      rows = 350;
      ended: string[] = [];

      async removeExpired(batch: number): Promise<number> {
        const removed = Math.min(batch, this.rows);
        this.rows -= removed;
        return removed;
      }

      async endAll(sub: string): Promise<void> {
        this.ended.push(sub);
      }
    }
    const host = await startHost({ providers: [Kiosks] });
    expect(await host.app.get(Sweeper).sweep()).toBe(350);
    await host.app.get(SignOutService).everywhere('ada');
    expect(host.app.get(Kiosks)).toMatchObject({ rows: 0, ended: ['ada'] });
    await host.close();
  });

  it('has what it keeps of users and clients removed with them, and counted', async () => {
    const removed: Whose[] = [];
    @Injectable()
    @Holds('orders')
    class Orders implements Holder {
      async removeAll(of: Whose): Promise<number> {
        removed.push(of);
        return 3;
      }
    }
    const host = await startHost({ providers: [Orders] }, { without: ['oauth', 'cloudbase'] });
    await host.app.get(ClientService).create({ id: 'app', public: true });
    const { id } = await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' });
    const ours = { codes: 0, devices: 0, sessions: 0 };
    expect(await host.app.get(ClientService).delete('app')).toEqual({ ...ours, orders: 3, secrets: 0 });
    expect(await host.app.get(UserService).delete(id)).toEqual({ ...ours, orders: 3 });
    expect(await host.app.get(Holdings).removeAll({ sub: 'somebody-of-its-own' })).toEqual({ ...ours, orders: 3 });
    expect(removed).toEqual([{ clientId: 'app' }, { sub: id }, { sub: 'somebody-of-its-own' }]);
    await host.close();
  });
});

describe("a host's replacing providers", () => {
  it('stand in for ours in whichever wing those are, with what they depend on', async () => {
    const heard: string[] = [];
    @Injectable()
    class Ear {
      hear(event: AuditEvent): void {
        heard.push(event.event);
      }
    }
    @Injectable()
    class HeardAudit extends AuditSink {
      constructor(private readonly ear: Ear) {
        super();
      }

      override record(event: AuditEvent): void {
        this.ear.hear(event);
      }
    }
    @Injectable()
    class PlainHasher extends PasswordHasher {
      override async hash(password: string): Promise<string> {
        return `plain:${password}`;
      }

      override async verify(stored: string, password: string): Promise<boolean> {
        return stored === `plain:${password}`;
      }

      override needsRehash(): boolean {
        return false;
      }
    }
    @Injectable()
    class StrictCaptcha {
      constructor(
        private readonly ear: Ear,
        readonly clients: ClientService,
      ) {}

      async demands(): Promise<boolean> {
        this.ear.hear({ event: 'captcha asked' as 'sign_in' });
        return true;
      }

      async redeem(): Promise<boolean> {
        return true;
      }
    }
    const providers = [
      Ear,
      { provide: AuditSink, useClass: HeardAudit },
      { provide: PasswordHasher, useClass: PlainHasher },
      { provide: Captcha, useClass: StrictCaptcha },
    ];
    const host = await startHost({}, { providers });
    await host.app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password'] });
    await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' });
    const credentials = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
    const required = { error: 'captcha_required', reason: 'CAPTCHA_REQUIRED' } as const;
    expectError(await request(host.url).post('/auth/v1/signin').send(credentials), required);
    expectError(await request(host.url).post('/auth/v1/token').send(credentials), required);
    const solved = await request(host.url).post('/auth/v1/token?captcha_token=x').send(credentials);
    expect(solved.status).toBe(200);
    expect(heard).toEqual(['captcha asked', 'captcha asked', 'captcha asked', 'sign_in']);
    await host.close();
  });
});
