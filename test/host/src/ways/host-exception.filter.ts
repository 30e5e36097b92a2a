import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';

interface JsonResponse {
  status(code: number): { json(body: object): void };
}

/** The host's own body for every failure. */
@Catch()
export class HostExceptionFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const status = thrown instanceof HttpException ? thrown.getStatus() : 500;
    const problem = thrown instanceof HttpException ? thrown.getResponse() : 'a fault of ours';
    host.switchToHttp().getResponse<JsonResponse>().status(status).json({ status, problem });
  }
}
