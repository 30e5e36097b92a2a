import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { readParameters } from '../http/body.js';
import { setParameters } from '../http/parameters.js';

/**
 * Reads the body. A guard, because the throttler's guard needs the parameters, and because what a middleware throws
 * passes by the filter of our controllers and would be answered in the host's words.
 */
@Injectable()
export class ParametersGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    setParameters(request, await readParameters(request));
    return true;
  }
}
