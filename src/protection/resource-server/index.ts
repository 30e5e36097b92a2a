// The tables of errors for the types of AuthError alone
import '../../base/errors/base.errors.js';
import '../../core/core.errors.js';

export { ResourceServerModule } from './resource-server.module.js';
export type { ResourceServerClient, ResourceServerOptions, TrustedIssuerOptions } from './resource-server.options.js';

// Guarding routes, in the service that issues the tokens as in every other
export * from '../index.js';

// What a host may replace
export { Clock } from '../../base/clock.js';
export { UsedJtis } from '../../core/replay/used-jtis.js';
