import { Injectable } from '@nestjs/common';
import type { VerificationMessage } from './verification-message.js';
import { type ContactNotice, VerificationSender } from './verification-sender.js';

/** Where verification codes go in tests, to whichever address or number. */
@Injectable()
export class Inbox extends VerificationSender {
  /** The codes that were sent, oldest first. Sending begins after the answer to who asked. */
  readonly messages: VerificationMessage[] = [];
  /** What former addresses were told of changes. */
  readonly notices: ContactNotice[] = [];

  override delivers(): boolean {
    return true;
  }

  override async send(message: VerificationMessage): Promise<void> {
    this.messages.push(message);
  }

  override async notify(notice: ContactNotice): Promise<void> {
    this.notices.push(notice);
  }

  /** The latest code that went there. @param to as it is stored: `ada@example.com`, `+86 13800000000` */
  codeTo(to: string): string | undefined {
    return this.messages.findLast((message) => message.to.value === to)?.code;
  }
}
