import { Inject, Injectable, Logger } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Contact } from '../../core/users/contact.js';
import { type VerificationMessage, VERIFICATION_TEXTS } from './verification-message.js';

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
