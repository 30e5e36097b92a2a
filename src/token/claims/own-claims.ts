import { Injectable } from '@nestjs/common';
import type { Client } from '../../core/clients/client.entity.js';
import type { User } from '../../core/users/users.js';

/** Where a claim may stand. */
export type ClaimPlace = 'access_token' | 'id_token' | 'userinfo';

/** A claim of a host's own. */
export interface OwnClaim {
  in: ClaimPlace[];
  /** The scope word that gives it away. Left out: it is told to every client. */
  scope?: string;
}

/** For whom claims are asked. */
export interface ClaimsContext {
  /** Left out where a client asks for itself (RFC 6749 §4.4). */
  user?: User;
  client: Client;
  scope: string[];
  /** Left out as well. `authenticatedAt`: when the user proved who they are, in milliseconds since the Unix epoch. */
  session?: { id: string; authenticatedAt: number };
  /** The claims that are told; what else is returned is dropped. */
  names: string[];
}

/**
 * Claims that a host adds. It extends this class and provides it in its place:
 * `AuthModule.forRoot({ …, providers: [{ provide: OwnClaims, useClass: TenantClaims }] })`.
 */
@Injectable()
export class OwnClaims {
  /** Every claim that there is, by its name. Names that a standard or we have given a meaning stop the start. */
  readonly claims: Readonly<Record<string, OwnClaim>> = {};

  /**
   * The values, each as JSON has it; undefined: there is none. Asked for each sign-in, refresh and userinfo that tells one,
   * so it should be quick. What it throws refuses the request and uses up no refresh token.
   */
  async valuesFor(context: ClaimsContext): Promise<Record<string, unknown>> {
    void context;
    return {};
  }
}
