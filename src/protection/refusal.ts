import { type ExecutionContext, type HttpException } from '@nestjs/common';
import { installed } from '../base/installed.js';

/** google.rpc.Code, which is what gRPC calls a status. */
const CODES: Record<number, number> = { 401: 16, 403: 7, 503: 14 };

/** A refusal as a handler's kind of context knows it, so that whoever sent the message is told; else Nest tells nothing. */
export async function refusal(context: ExecutionContext, exception: HttpException): Promise<Error> {
  switch (context.getType<string>()) {
    case 'ws': {
      const load = () => import('@nestjs/websockets');
      const { WsException } = await installed('@nestjs/websockets', load, 'what a gateway is made with');
      return new WsException(exception.message);
    }
    case 'rpc': {
      const load = () => import('@nestjs/microservices');
      const { RpcException } = await installed('@nestjs/microservices', load, 'what a message handler is made with');
      return new RpcException({ ...(exception.getResponse() as object), code: CODES[exception.getStatus()] });
    }
    default:
      return exception;
  }
}
