import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** Where Nest's adapter looks for Fastify's `config` of a route: `@RouteConfig()` of a package that need not be there. */
const ROUTE_CONFIG = '__fastify_route_config__';
const OURS = { 'nest-auth': true };

/** What this file knows of a route that is about to be registered. */
interface FastifyRoute {
  url: string;
  method: string | string[];
  handler: object;
  config?: Record<string, unknown>;
  preParsing?: Hook | Hook[];
  preValidation?: Hook | Hook[];
}

type Hook = (request: { headers: object }, ...rest: unknown[]) => void;

interface Fastify {
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): void;
  hasRoute(route: { url: string; method: string }): boolean;
}

/** And of Express: the routes that its router holds. */
interface Express {
  router?: { stack: { route?: { path: string; stack: { handle: object }[] } }[] };
}

/** Marks a handler, so that its route is known from those of the host. */
export function markAsOurs(handler: object): void {
  const config = Reflect.getMetadata(ROUTE_CONFIG, handler) as object | undefined;
  Reflect.defineMetadata(ROUTE_CONFIG, { ...config, ...OURS }, handler);
}

/** The routes of ours, as the host's platform has them. */
@Injectable()
export class MountedRoutes {
  private readonly onFastify: string[] = [];

  constructor(private readonly host: HttpAdapterHost) {}

  /**
   * Has our routes registered as Fastify needs it, and no route of the host. Elsewhere it does nothing.
   * - `@All()` means all methods that have no route of their own: Fastify refuses a second one.
   * - Its wildcards have no name.
   * - Their bodies stay in the stream, for us to read: Fastify would refuse those that it has no parser for, and an empty
   *   one that is called JSON, before any guard or filter of ours.
   *
   * To be called before Nest registers routes.
   */
  fit(): void {
    const adapter = this.host.httpAdapter;
    if (adapter.getType() !== 'fastify') return;
    const fastify = adapter.getInstance<Fastify>();
    fastify.addHook('onRoute', (route) => {
      if (!isOurs(route)) return;
      const { method } = route;
      const url = (route.url = route.url.replace(/\*\w+$/, '*'));
      if (Array.isArray(method)) route.method = method.filter((one) => !fastify.hasRoute({ url, method: one }));
      route.preParsing = [route.preParsing ?? [], hideBody].flat();
      route.preValidation = [showBody, route.preValidation ?? []].flat();
      this.onFastify.push(url);
    });
  }

  /** Their paths, with the host's prefix; none where there is no HTTP. */
  paths(): string[] {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'express') return this.onFastify;
    const layers = adapter.getInstance<Express>().router?.stack ?? [];
    const ours = layers.filter(({ route }) => route?.stack.some(({ handle }) => isOurs({ handler: handle })));
    return ours.map(({ route }) => route!.path);
  }
}

/** Nest 11 loses the config of `@All()`, but leaves the handler as it was. */
function isOurs({ config, handler }: Pick<FastifyRoute, 'config' | 'handler'>): boolean {
  const mark = (config?.['nest-auth'] ?? (Reflect.getMetadata(ROUTE_CONFIG, handler) as object | undefined)) as unknown;
  return mark !== undefined;
}

const BODILESS = { 'content-type': undefined, 'content-length': undefined, 'transfer-encoding': undefined };

/** A request without these headers has no body to parse. They stay on the raw request, and come back after the parsing. */
const hideBody: Hook = (request, _reply, payload, done) => {
  request.headers = BODILESS;
  (done as (error: null, payload: unknown) => void)(null, payload);
};

const showBody: Hook = (request, _reply, done) => {
  request.headers = {};
  (done as () => void)();
};
