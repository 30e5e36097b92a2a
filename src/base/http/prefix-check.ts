import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';
import { MountedRoutes } from './mounted-routes.js';
import { ROUTE_PREFIX } from './route-prefix.js';

/** Says at the start where the issuer, which all our URLs are made of, lacks the global prefix of the host. */
@Injectable()
export class PrefixCheck implements OnApplicationBootstrap {
  private readonly logger = new Logger('Auth');

  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
    @Inject(ROUTE_PREFIX) private readonly prefix: string,
    private readonly routes: MountedRoutes,
  ) {}

  onApplicationBootstrap(): void {
    const { issuer } = this.options;
    const known = `${this.prefix}/certs`; // is always there
    const path = this.routes.paths().find((one) => one.endsWith(known));
    const global = path?.slice(0, -known.length) ?? '';
    const bare = issuer.replace(/\/$/, '');
    if (bare.endsWith(global)) return;
    this.logger.warn(`our routes are under ${global}, which the issuer lacks: set issuer to '${bare}${global}'`);
  }
}
