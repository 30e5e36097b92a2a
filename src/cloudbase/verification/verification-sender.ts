import { Inject, Injectable, Logger } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Language } from '../../base/languages.js';
import type { Contact } from '../../core/users/contact.js';
import { type VerificationMessage, VERIFICATION_TEXTS } from './verification-message.js';

/** What somebody is told at an address or number that their account had before a change. */
export interface ContactNotice {
  to: Contact;
  /** What is another one now, or was added. */
  changed: Contact['channel'];
  language: Language;
}

/**
 * Delivers verification codes. By default e-mail through `smtpUrl`, and where `logVerificationCodes` is on a line of the
 * log for the rest; a host replaces it by this class token to send text messages.
 */
@Injectable()
export class VerificationSender {
  private readonly logger = new Logger('Verification');
  private readonly mail?: Transporter;

  constructor(@Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions) {
    if (options.smtpUrl !== undefined)
      this.mail = createTransport(transportUrl(options.smtpUrl, options.smtpPlaintext));
  }

  /** Whether codes can be sent this way at all. */
  delivers(channel: Contact['channel']): boolean {
    return this.options.logVerificationCodes || (channel === 'email' && this.mail !== undefined);
  }

  /** Nobody waits for it: how long it takes must not tell whether there is an account. */
  async send(message: VerificationMessage): Promise<void> {
    const { to, code, language, client, purpose } = message;
    if (to.channel === 'email' && this.mail) {
      const { subject, text } = VERIFICATION_TEXTS[language](message);
      await this.mail.sendMail({ from: this.options.mailFrom, to: to.value, subject, text });
    } else if (this.options.logVerificationCodes) {
      this.logger.log({ msg: 'verification code', to: to.value, verificationCode: code, client, purpose });
    }
  }

  /** Tells the owner of an account, where it could be reached before, that this has changed. */
  async notify({ to, changed, language }: ContactNotice): Promise<void> {
    if (to.channel === 'email' && this.mail) {
      await this.mail.sendMail({ from: this.options.mailFrom, to: to.value, ...NOTICES[language](changed) });
    } else if (this.options.logVerificationCodes) {
      this.logger.log({ msg: 'contact changed', to: to.value, changed });
    }
  }
}

/**
 * Codes and the server's password never leave in the clear: without TLS from the start, STARTTLS is demanded (RFC 3207),
 * whatever the URL's query says. On this machine, and where the operator says so, it is taken where it is offered.
 */
function transportUrl(smtpUrl: string, plaintext: boolean): string {
  const url = new URL(smtpUrl);
  if (!plaintext && !LOOPBACK.test(url.hostname)) url.searchParams.set('requireTLS', 'true');
  return url.href;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

const NOTICES: Record<Language, (changed: ContactNotice['changed']) => Record<string, string>> = {
  en: (changed) => {
    const what = changed === 'email' ? 'e-mail address' : 'phone number';
    return {
      subject: `The ${what} of your account was changed`,
      text: `The ${what} of your account was changed just now.\n\nIf it was not you, somebody else is in your account: set a new password, and write to whoever runs the service.\n`,
    };
  },
  'zh-CN': (changed) => {
    const what = changed === 'email' ? '邮箱' : '手机号';
    return {
      subject: `您账号的${what}已变更`,
      text: `您账号的${what}刚刚发生了变更。\n\n如非本人操作，说明您的账号可能已被他人登录：请立即修改密码，并联系服务运营方。\n`,
    };
  },
};
