import { type CallHandler, Injectable, type NestInterceptor, type PipeTransform } from '@nestjs/common';
import { APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { map } from 'rxjs';
import request from 'supertest';
import { ClientService, UserService } from '../src/index.js';
import { type Host, startHost } from './host.js';

@Injectable()
class WrappingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** Trims every string of whatever a route is given, however deep it lies. */
@Injectable()
class TrimmingPipe implements PipeTransform {
  readonly seen: unknown[] = [];

  transform(value: unknown) {
    this.seen.push(value);
    this.trim(value);
    return value;
  }

  private trim(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string') Object.assign(value, { [name]: member.trim() });
      else this.trim(member);
    }
  }
}

describe('the exchange that a route is given', () => {
  const pipe = new TrimmingPipe();
  let host: Host;

  beforeAll(async () => {
    host = await startHost({
      providers: [
        { provide: APP_INTERCEPTOR, useClass: WrappingInterceptor },
        { provide: APP_PIPE, useValue: pipe },
      ],
    });
    await host.app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password'], scopes: ['a'] });
    await host.app.get(UserService).create({ username: 'ada', password: ' correct horse ' });
  });
  afterAll(() => host.close());

  const signIn = (password: string) =>
    request(host.url)
      .post('/oauth2/token')
      .set('x-request-id', 'r1')
      .send({ grant_type: 'password', client_id: 'app', username: 'ada', password });

  it('is answered by the route alone: no interceptor of the host wraps it, and Nest sends nothing', async () => {
    const { status, headers, body } = await signIn(' correct horse ');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache', 'x-request-id': 'r1' });
    expect(headers['etag']).toBeUndefined();
    expect(Object.keys(body)).toEqual(expect.arrayContaining(['access_token', 'token_type', 'expires_in']));
    expect(body.data).toBeUndefined();
  });

  it('shows a pipe of the host nothing of what was sent', async () => {
    pipe.seen.length = 0;
    expect((await signIn(' correct horse ')).status).toBe(200);
    expect((await signIn('correct horse')).status).toBe(400);
    expect(pipe.seen).toHaveLength(2);
    expect(JSON.stringify(pipe.seen)).not.toMatch(/ada|horse|app/);
  });
});
