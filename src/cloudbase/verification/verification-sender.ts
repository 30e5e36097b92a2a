import { Inject, Injectable, Logger } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Contact } from '../../core/users/contact.js';

/** A code on its way to somebody. */
export interface VerificationMessage {
  to: Contact;
  /** Six digits. */
  code: string;
  /** Seconds. */
  expiresIn: number;
  language: 'en' | 'zh-CN';
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
    if (options.smtpUrl !== undefined) this.mail = createTransport(options.smtpUrl);
  }

  /** Whether codes can be sent this way at all. */
  delivers(channel: Contact['channel']): boolean {
    return this.options.logVerificationCodes || (channel === 'email' && this.mail !== undefined);
  }

  /** Nobody waits for it: how long it takes must not tell whether there is an account. */
  async send({ to, code, expiresIn, language }: VerificationMessage): Promise<void> {
    if (to.channel === 'email' && this.mail) {
      const { subject, text } = TEXTS[language](code, Math.round(expiresIn / 60));
      await this.mail.sendMail({ from: this.options.mailFrom, to: to.value, subject, text });
    } else if (this.options.logVerificationCodes) {
      this.logger.log({ msg: 'verification code', to: to.value, verificationCode: code });
    }
  }
}

const TEXTS: Record<VerificationMessage['language'], (code: string, minutes: number) => Record<string, string>> = {
  en: (code, minutes) => ({
    subject: `Your verification code: ${code}`,
    text: `Your verification code is ${code}. It works for ${minutes} minutes.\n\nIf you did not ask for it, ignore this mail and tell nobody the code.\n`,
  }),
  'zh-CN': (code, minutes) => ({
    subject: `您的验证码：${code}`,
    text: `您的验证码是 ${code}，${minutes} 分钟内有效。\n\n如非本人操作，请忽略此邮件，切勿将验证码告知他人。\n`,
  }),
};
