import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';

/** What a captcha may protect: trying a password or code, a new anonymous user, a new account, a message that is sent. */
export type CaptchaAction = 'sign_in' | 'sign_in_anonymously' | 'sign_up' | 'send_code';

/** A request that may have to bring a solved captcha. */
export interface CaptchaSubject {
  action: CaptchaAction;
  /** The route that was used, such as `/oauth2/token`; and, where that need not bring one, CloudBase's for the action. */
  path: string;
  /** The client's address. */
  ip: string | undefined;
}

/** A riddle, as CloudBase's SDK and the sign-in page show it. */
export interface CaptchaChallenge {
  token: string;
  /** An image as a data: URL, or the address of a page. */
  data: string;
  /** Seconds. */
  expires_in: number;
}

/** Where captchas come from; a host replaces it by this class token. By default none is ever asked for. */
export abstract class Captcha {
  /** Whether this request must bring a `captcha_token`. */
  abstract demands(subject: CaptchaSubject): Promise<boolean>;

  /** Uses a `captcha_token` up. @returns false where it is wrong, used or expired */
  abstract redeem(captchaToken: string): Promise<boolean>;

  abstract create(state: string): Promise<CaptchaChallenge>;

  /** @returns undefined where the riddle was solved wrongly */
  abstract verify(token: string, key: string): Promise<{ captcha_token: string; expires_in: number } | undefined>;
}

@Injectable()
export class NoCaptcha extends Captcha {
  async demands(): Promise<boolean> {
    return false;
  }

  async redeem(): Promise<boolean> {
    return false;
  }

  async create(): Promise<never> {
    throw new AuthError('not_found', { reason: 'ROUTE_UNKNOWN' });
  }

  async verify(): Promise<never> {
    throw new AuthError('not_found', { reason: 'ROUTE_UNKNOWN' });
  }
}
