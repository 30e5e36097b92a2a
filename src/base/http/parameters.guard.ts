import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { readParameters } from './body.js';
import { Parameters, setParameters } from './parameters.js';

/**
 * Reads the body. A guard, because the throttler's guard needs the parameters, and because what a middleware throws
 * passes by the filter of our controllers and would be answered in the host's words.
 */
@Injectable()
export class ParametersGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    setParameters(request, this.mayLackBody(request) && !hasBody(request) ? NONE : await readParameters(request));
    return true;
  }

  protected mayLackBody(request: Request): boolean {
    return request.method !== 'POST';
  }
}

/** The same for an endpoint whose parameters are all optional: its body is, too. */
@Injectable()
export class OptionalParametersGuard extends ParametersGuard {
  protected override mayLackBody(): boolean {
    return true;
  }
}

const NONE = new Parameters({});

function hasBody({ headers, body }: Request): boolean {
  return (
    body !== undefined || headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
  );
}
