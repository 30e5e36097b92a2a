import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';

/** What Express and Fastify have in common. */
interface AnyResponse {
  status(code: number): { send(body: object): void };
}

/** The host's own body for every failure. */
@Catch()
export class HostExceptionFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const status = thrown instanceof HttpException ? thrown.getStatus() : 500;
    const problem = thrown instanceof HttpException ? thrown.getResponse() : 'a fault of ours';
    host.switchToHttp().getResponse<AnyResponse>().status(status).send({ status, problem });
  }
}
