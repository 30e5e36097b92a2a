import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('nest-auth-service/package.json') as { version: string };

/** Of this release. */
export const VERSION = version;
