import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  HttpException,
  Injectable,
  type MessageEvent,
  Post,
  Req,
  Res,
  Sse,
  UseGuards,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import {
  ClientProxyFactory,
  type ClientTCP,
  type CustomTransportStrategy,
  Ctx,
  KafkaContext,
  MessagePattern,
  NatsContext,
  RmqContext,
  Server as TransportServer,
  Transport,
} from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Request, Response } from 'express';
import type { AddressInfo, Server } from 'node:net';
import { firstValueFrom, type Observable, of } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import {
  type AccessToken,
  AccessTokenGuard,
  accessTokenOf,
  BearerToken,
  type GuardedRequest,
  OptionalToken,
  RequireGroups,
  RequireLiveSession,
  RequireScopes,
} from '../../src/index.js';
import { dpopProof, hashOf, keyPair } from '../jwts.js';
import { ISSUER } from '../service.js';
import { embedded, type Guarded } from './guarded.js';

/** As a host writes it for every kind of context. */
const Sub = createParamDecorator((_: unknown, context: ExecutionContext) => accessTokenOf(context)?.sub);

@Controller('events')
@UseGuards(AccessTokenGuard)
class EventsController {
  @Sse()
  events(@BearerToken() token: AccessToken): Observable<MessageEvent> {
    return of({ data: { of: token.sub } });
  }
}

/** What a GraphQL server calls for two fields of one query, and puts together. */
@Injectable()
@UseGuards(AccessTokenGuard)
class Resolver {
  orders(@BearerToken() token: AccessToken, @Sub() sub: string) {
    return [token.sub, sub];
  }

  @RequireScopes('admin')
  admin(@BearerToken() token: AccessToken) {
    return token.sub;
  }

  @OptionalToken()
  offers(@BearerToken() token?: AccessToken) {
    return token?.sub ?? 'a stranger';
  }
}

const methodsOf = (resolver: Resolver) => Object.getPrototypeOf(resolver) as Record<keyof Resolver, () => unknown>;

/** @nestjs/graphql without GraphQL: it makes its resolvers in the same way and hands them the same arguments. */
@Controller('graphql')
class GraphqlController {
  constructor(
    private readonly creator: ExternalContextCreator,
    private readonly resolver: Resolver,
  ) {}

  @Post()
  async query(@Req() req: Request, @Res() res: Response): Promise<void> {
    const fields = (req.body as { fields: ('orders' | 'admin' | 'offers')[] }).fields;
    const shared = { req, res };
    const results = await Promise.all(fields.map((field) => this.resolve(field, shared)));
    res.json(Object.fromEntries(results.map((result, i) => [fields[i], result])));
  }

  private resolve(field: 'orders' | 'admin' | 'offers', shared: object): Promise<unknown> {
    const resolve = this.creator.create(
      this.resolver,
      methodsOf(this.resolver)[field],
      field,
      '__routeArguments__',
      { exchangeKeyForValue: () => undefined },
      undefined,
      undefined,
      undefined,
      'graphql',
    );
    return resolve({}, {}, shared, { fieldName: field }).catch((error: unknown) => {
      if (error instanceof HttpException) return error.getResponse();
      throw error;
    });
  }
}

@WebSocketGateway()
@UseGuards(AccessTokenGuard)
class ChatGateway {
  @SubscribeMessage('who')
  who(@BearerToken() token: AccessToken, @Sub() sub: string) {
    return [token.sub, sub];
  }

  @SubscribeMessage('pay')
  @RequireLiveSession()
  pay() {
    return 'paid';
  }

  @SubscribeMessage('administer')
  @RequireGroups('admins')
  administer() {
    return 'done';
  }
}

/** Messages that bring a token each. */
@Injectable()
class MessageGuard extends AccessTokenGuard {
  protected override getRequest(context: ExecutionContext): object {
    const { authorization } = context.switchToWs().getData<{ authorization?: string }>();
    return Object.assign(context.switchToWs().getData<object>(), { headers: { authorization } });
  }
}

@WebSocketGateway({ namespace: 'messages' })
@UseGuards(MessageGuard)
class MessagesGateway {
  @SubscribeMessage('who')
  async who(@BearerToken() token: AccessToken) {
    return token.sub;
  }
}

@Controller()
@UseGuards(AccessTokenGuard)
class HandlersController {
  @MessagePattern('who')
  who(@BearerToken() token: AccessToken, @Sub() sub: string, @Ctx() context: GuardedRequest) {
    return [token.sub, sub, context.auth?.sub];
  }

  @MessagePattern('administer')
  @RequireScopes('admin')
  administer() {
    return 'done';
  }
}

/** A transport that carries nothing anywhere, and hands over the contexts of those that do. */
class Direct extends TransportServer implements CustomTransportStrategy {
  override listen(done: () => void): void {
    done();
  }
  override close(): void {}
  override on(): void {}
  override unwrap<T>(): T {
    return this as never;
  }
  async ask(pattern: string, context: object): Promise<unknown> {
    return firstValueFrom(this.transformToObservable(await this.getHandlerByPattern(pattern)!({}, context)));
  }
}

const UNAUTHORIZED = { statusCode: 401, message: 'Unauthorized' };

describe('AccessTokenGuard guards', () => {
  let host: Guarded;
  const direct = new Direct();
  let port: number;

  beforeAll(async () => {
    host = await embedded({
      controllers: [EventsController, GraphqlController, HandlersController],
      providers: [Resolver, ChatGateway, MessagesGateway],
    });
    const tcp = host.app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
    host.app.connectMicroservice({ strategy: direct });
    await host.app.startAllMicroservices();
    ({ port } = tcp.unwrap<Server>().address() as AddressInfo);
  });
  afterAll(() => host?.close());

  describe('server-sent events', () => {
    it('which a stranger does not get to see', async () => {
      const answer = await request(host.url).get('/events');
      expect([answer.status, answer.body]).toEqual([401, UNAUTHORIZED]);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="auth"/);
    });

    it('which know who listens', async () => {
      const answer = await request(host.url)
        .get('/events')
        .set({ authorization: `Bearer ${await host.signIn()}` });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
      expect(answer.text).toContain(`data: {"of":"${host.sub}"}`);
    });
  });

  describe('the resolvers of GraphQL', () => {
    const query = (fields: string[], headers: Record<string, string> = {}) =>
      request(host.url).post('/graphql').set(headers).send({ fields });

    it('each by what it requires', async () => {
      const { body } = await query(['orders', 'admin', 'offers'], { authorization: `Bearer ${await host.signIn()}` });
      const forbidden = { statusCode: 403, message: 'Forbidden' };
      expect(body).toEqual({ orders: [host.sub, host.sub], admin: forbidden, offers: host.sub });
    });

    it('without a token', async () => {
      expect((await query(['orders', 'offers'])).body).toEqual({ orders: UNAUTHORIZED, offers: 'a stranger' });
    });

    it('of which several share the one DPoP proof of their request', async () => {
      const key = await keyPair();
      const now = host.clock.now();
      const token = await host.signIn({}, { DPoP: await dpopProof(key, now, `${ISSUER}/auth/v1/token`) });
      const headers = {
        authorization: `DPoP ${token}`,
        DPoP: await dpopProof(key, now, `${ISSUER}/graphql`, { ath: hashOf(token) }),
      };
      const { body } = await query(['orders', 'offers'], headers);
      expect(body).toEqual({ orders: [host.sub, host.sub], offers: host.sub });
      expect((await query(['orders'], headers)).body).toEqual({ orders: UNAUTHORIZED });
    });
  });

  describe('the messages of a WebSocket', () => {
    const sockets: Socket[] = [];
    afterAll(() => sockets.forEach((socket) => socket.close()));

    const connect = (options: object, namespace = '') => {
      const socket = io(host.url + namespace, { transports: ['websocket'], forceNew: true, ...options });
      sockets.push(socket);
      return (event: string, data: object = {}) =>
        new Promise((resolve) => {
          socket.once('exception', resolve);
          socket.emit(event, data, resolve);
        });
    };
    const refused = (message: string) => ({ status: 'error', message, cause: expect.any(Object) });

    it.each<[string, (token: string) => object]>([
      ['a header', (token) => ({ extraHeaders: { authorization: `Bearer ${token}` } })],
      ["Socket.IO's auth, which a browser has to use", (token) => ({ auth: { token } })],
    ])('by the token of its handshake, in %s', async (_, options) => {
      const ask = connect(options(await host.signIn()));
      expect(await ask('who')).toEqual([host.sub, host.sub]);
      expect(await ask('pay')).toBe('paid');
      expect(await ask('administer')).toEqual(refused('Forbidden'));
    });

    it('and says so to who has none, or a wrong one', async () => {
      expect(await connect({})('who')).toEqual(refused('Unauthorized'));
      expect(await connect({ auth: { token: 'x' } })('who')).toEqual(refused('Unauthorized'));
    });

    it('for as long as the token lives', async () => {
      const ask = connect({ auth: { token: host.sign({ exp: host.clock.now() / 1000 + 10 }) } });
      expect(await ask('who')).toEqual([host.sub, host.sub]);
      host.clock.advance(10);
      expect(await ask('who')).toEqual(refused('Unauthorized'));
    });

    it('and its session, where that is required', async () => {
      const ask = connect({ auth: { token: await host.signIn() } });
      expect(await ask('pay')).toBe('paid');
      await host.signOut();
      expect(await ask('pay')).toEqual(refused('Unauthorized'));
    });

    it('by the token of each, where the host finds it there', async () => {
      const ask = connect({}, '/messages');
      const [ada, bob] = [host.sign(), host.sign({ sub: 'bob' })].map((token) => ({
        authorization: `Bearer ${token}`,
      }));
      expect(await Promise.all([ask('who', ada), ask('who', bob)])).toEqual([host.sub, 'bob']);
      expect(await ask('who', { auth: { sub: 'ada' } })).toEqual(refused('Unauthorized'));
    });
  });

  describe('message handlers', () => {
    const metadata = (token: string) => ({ authorization: `Bearer ${token}` });

    it('of which a client brings its token in the metadata of a packet (TCP)', async () => {
      const client = ClientProxyFactory.create({
        transport: Transport.TCP,
        options: { host: '127.0.0.1', port },
      }) as ClientTCP;
      const refused = { statusCode: 401, message: 'Unauthorized', code: 16 };
      await expect(firstValueFrom(client.send('who', {}))).rejects.toEqual(refused);
      const token = host.sign();
      client.setOnDispatchHook((packet) => (packet.metadata = metadata(token)));
      expect(await firstValueFrom(client.send('who', {}))).toEqual([host.sub, host.sub, host.sub]);
      await expect(firstValueFrom(client.send('administer', {}))).rejects.toEqual({
        statusCode: 403,
        message: 'Forbidden',
        code: 7,
      });
      client.close();
    });

    it.each<[string, (headers: Record<string, string>) => object]>([
      ['NATS', (headers) => new NatsContext(['who', new Headers(headers)])],
      [
        'Kafka, in bytes',
        ({ authorization }) => {
          const message = { headers: { authorization: Buffer.from(authorization!) } };
          return new KafkaContext([message, 0, 'who'] as never);
        },
      ],
      ['RabbitMQ', (headers) => new RmqContext([{ properties: { headers } }, {}, 'who'])],
      ['gRPC, whose metadata it is', (headers) => ({ get: (name: string) => [headers[name]] })],
    ])('by the headers of %s', async (_, contextOf) => {
      expect(await direct.ask('who', contextOf(metadata(host.sign())))).toEqual([host.sub, host.sub, host.sub]);
      await expect(direct.ask('who', contextOf(metadata('x')))).rejects.toMatchObject({ statusCode: 401 });
    });
  });
});
