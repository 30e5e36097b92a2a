import type { AbstractHttpAdapter } from '@nestjs/core';

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

/** Marks a handler, so that fitRoutes() knows its route from those of the host. */
export function markForFastify(handler: object): void {
  const config = Reflect.getMetadata(ROUTE_CONFIG, handler) as object | undefined;
  Reflect.defineMetadata(ROUTE_CONFIG, { ...config, ...OURS }, handler);
}

/**
 * Has our routes registered as Fastify needs it, and no route of the host. Elsewhere it does nothing.
 * - `@All()` means all methods that have no route of their own: Fastify refuses a second one.
 * - Its wildcards have no name.
 * - Their bodies stay in the stream, for us to read: Fastify would refuse those that it has no parser for, and an empty
 *   one that is called JSON, before any guard or filter of ours.
 * @param adapter before Nest has registered its routes
 */
export function fitRoutes(adapter: AbstractHttpAdapter): void {
  if (adapter.getType() !== 'fastify') return;
  const fastify = adapter.getInstance<Fastify>();
  fastify.addHook('onRoute', (route) => {
    if (!isOurs(route)) return;
    const { method } = route;
    const url = (route.url = route.url.replace(/\*\w+$/, '*'));
    if (Array.isArray(method)) route.method = method.filter((one) => !fastify.hasRoute({ url, method: one }));
    route.preParsing = [route.preParsing ?? [], hideBody].flat();
    route.preValidation = [showBody, route.preValidation ?? []].flat();
  });
}

/** Nest 11 loses the config of `@All()`, but leaves the handler as it was. */
function isOurs({ config, handler }: FastifyRoute): boolean {
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
