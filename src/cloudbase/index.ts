export { Captcha, type CaptchaChallenge, type CaptchaSubject } from './captcha/captcha.js';
export type { VerificationMessage } from './verification/verification-message.js';
export type { VerificationPurpose } from './verification/verification-purpose.js';
export { VerificationSender } from './verification/verification-sender.js';
