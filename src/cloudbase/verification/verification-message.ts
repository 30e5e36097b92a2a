import type { Language } from '../../base/languages.js';
import type { Client } from '../../core/clients/client.entity.js';
import type { Contact } from '../../core/users/contact.js';
import type { VerificationPurpose } from './verification-purpose.js';

/** A code on its way to somebody. */
export interface VerificationMessage {
  to: Contact;
  /** Six digits. */
  code: string;
  /** Seconds. */
  expiresIn: number;
  language: Language;
  /** What the app that asked is called: one line of printable text. */
  client: string;
  /** What the code is good for: `access` (to sign in, sign up or reset), `sign_in`, `sign_up`, `reset`, `confirm`, `contact`. */
  purpose: VerificationPurpose;
}

/** A client's name as it may stand in a message: no line break, nothing invisible, nothing endless. */
export function nameOf({ name, id }: Pick<Client, 'id' | 'name'>): string {
  const line = (text: string) =>
    text
      .replace(/[\p{C}\p{Z}]+/gu, ' ')
      .trim()
      .slice(0, 64);
  return line(name) || line(id);
}

/** What a code is for, as its message says it. */
const PURPOSES: Record<Language, Record<VerificationPurpose, string>> = {
  en: {
    access: 'to sign in, to sign up or to set a new password',
    sign_in: 'to sign in or to sign up',
    sign_up: 'to sign up',
    reset: 'to set a new password',
    confirm: 'to confirm that it is you',
    contact: 'to make this address or number part of an account',
  },
  'zh-CN': {
    access: '登录、注册或重置密码',
    sign_in: '登录或注册',
    sign_up: '注册',
    reset: '重置密码',
    confirm: '确认是您本人操作',
    contact: '将此邮箱或手机号绑定到账号',
  },
};

type Text = Record<'subject' | 'text', string>;

/** The mail, in the language of whoever asked. */
export const VERIFICATION_TEXTS: Record<Language, (message: VerificationMessage) => Text> = {
  en: ({ client, code, expiresIn, purpose }) => ({
    subject: `${client}: your verification code is ${code}`,
    text:
      `Your verification code is ${code}. It works for ${minutes(expiresIn)} minutes.\n\n` +
      `App: ${client}\nPurpose: ${PURPOSES.en[purpose]}\n\n` +
      `If you did not ask for it, ignore this mail and tell nobody the code.\n`,
  }),
  'zh-CN': ({ client, code, expiresIn, purpose }) => ({
    subject: `${client}：您的验证码是 ${code}`,
    text:
      `您的验证码是 ${code}，${minutes(expiresIn)} 分钟内有效。\n\n` +
      `应用：${client}\n用途：${PURPOSES['zh-CN'][purpose]}\n\n` +
      `如非本人操作，请忽略此邮件，切勿将验证码告知他人。\n`,
  }),
};

const minutes = (seconds: number): number => Math.round(seconds / 60);
