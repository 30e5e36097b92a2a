import { type ArgumentsHost, createParamDecorator, type ExecutionContext, Res } from '@nestjs/common';
import { expressExchange } from './express-exchange.js';
import { fastifyExchange } from './fastify-exchange.js';
import type { HttpExchange } from './http-exchange.js';

/**
 * The request and answer that a guard, filter or interceptor is called for. Whichever asks first, all get the same.
 * @param host an ExecutionContext or ArgumentsHost of an HTTP request
 */
export function exchangeOf(host: ArgumentsHost): HttpExchange {
  const request = host.getArgByIndex<object>(0); // switchToHttp() makes three closures a call
  const response = host.getArgByIndex<object>(1);
  return 'raw' in request ? fastifyExchange(request, response) : expressExchange(request, response);
}

const exchange = createParamDecorator((_: unknown, context: ExecutionContext): HttpExchange => exchangeOf(context));

/**
 * A parameter of a route: its HttpExchange. The route answers by it, and Nest sends nothing, as with `@Res()`: Nest looks
 * for that decorator among the parameters, so it is there too, and the exchange, which comes second, takes its place.
 */
export const Http = (): ParameterDecorator => (target, key, index) => {
  Res()(target, key, index);
  exchange()(target, key, index);
};
