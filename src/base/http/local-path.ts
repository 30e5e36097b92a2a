import type { ResolvedAuthOptions } from '../auth.options.js';

/** A path of ours as the browser has to ask for it: below the issuer's own, which need not be the root of its host. */
export function localPath({ issuer }: Pick<ResolvedAuthOptions, 'issuer'>, path: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '') + path;
}
