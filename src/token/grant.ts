import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import type { ParametersClass } from '../base/http/validated.js';
import type { CaptchaAction } from '../core/captcha/captcha.js';
import type { Party } from '../core/sessions/lease.js';
import type { TokenResponse } from './token-response.js';

/**
 * One way to get tokens. Register it with `@GrantHandler(grantType, Parameters)` in the providers of any module.
 * @typeParam P the grant's own parameters, already validated
 */
export interface Grant<P extends object = object> {
  /**
   * @param party the authenticated client, and the device it speaks for
   * @throws AuthError any row of the catalogue
   */
  exchange(parameters: P, party: Party): Promise<TokenResponse>;
}

export interface GrantRegistration {
  /** The grant_type; every further one is another spelling of it. */
  grantTypes: string[];
  parameters: ParametersClass;
  /** What a host may have it ask a captcha for; left out: nothing. */
  captcha?: CaptchaAction;
}

const GRANT_HANDLER = 'nest-auth:grant-handler';

/** What a class is registered as; undefined: it handles no grant. */
export function registrationOf(metatype: object | null): GrantRegistration | undefined {
  return metatype ? (Reflect.getMetadata(GRANT_HANDLER, metatype) as GrantRegistration | undefined) : undefined;
}

/**
 * Makes a class the handler of a grant_type; it is injectable by that.
 * @param grantType a name of RFC 6749, or a URI (RFC 6749 §4.5); an array lists its spellings
 * @param parameters the class of its parameters: `@Text()`, `@Scope()`, or class-validator's own with `@IsDefined()` on
 *   those it requires
 * @param more.captcha what a host may demand a captcha for (Captcha), where the grant lets somebody in
 */
export function GrantHandler<P extends object>(
  grantType: string | string[],
  parameters: ParametersClass<P>,
  more: Pick<GrantRegistration, 'captcha'> = {},
): <T extends new (...args: never[]) => Grant<P>>(target: T) => void {
  const registration: GrantRegistration = { grantTypes: [grantType].flat(), parameters, ...more };
  return applyDecorators(Injectable(), SetMetadata(GRANT_HANDLER, registration));
}
