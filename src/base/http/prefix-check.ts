import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../auth.options.js';
import { MountedRoutes } from './mounted-routes.js';

/** A route of ours that is always there. */
const KNOWN = '/auth/v1/certs';

/** Says at the start where the issuer, which all our URLs are made of, lacks the global prefix of the host. */
@Injectable()
export class PrefixCheck implements OnApplicationBootstrap {
  private readonly logger = new Logger('Auth');

  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
    private readonly routes: MountedRoutes,
  ) {}

  onApplicationBootstrap(): void {
    const { issuer } = this.options;
    const path = this.routes.paths().find((one) => one.endsWith(KNOWN));
    const global = path?.slice(0, -KNOWN.length) ?? '';
    const bare = issuer.replace(/\/$/, '');
    if (bare.endsWith(global)) return;
    this.logger.warn(`our routes are under ${global}, which the issuer lacks: set issuer to '${bare}${global}'`);
  }
}
