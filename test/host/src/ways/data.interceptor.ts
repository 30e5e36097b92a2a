import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';

/** The host answers everything as `{ data }`. */
export class DataInterceptor implements NestInterceptor<unknown, { data: unknown }> {
  intercept(_context: ExecutionContext, next: CallHandler<unknown>): Observable<{ data: unknown }> {
    return next.handle().pipe(map((data) => ({ data })));
  }
}
