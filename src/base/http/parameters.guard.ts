import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { readParameters } from './body.js';
import { exchangeOf } from './exchange-of.js';
import type { HttpExchange } from './http-exchange.js';
import { Parameters } from './parameters.js';

/**
 * Reads the body. A guard, because the throttler's guard needs the parameters, and because what a middleware throws
 * passes by the filter of our controllers and would be answered in the host's words.
 */
@Injectable()
export class ParametersGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = exchangeOf(context);
    http.parameters =
      this.mayLackBody(http) && http.parsedBody === undefined && !http.hasBody ? NONE : await readParameters(http);
    return true;
  }

  protected mayLackBody(http: HttpExchange): boolean {
    return http.method !== 'POST';
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
