export { Captcha, type CaptchaChallenge, type CaptchaSubject } from './captcha/captcha.js';
export { VerificationSender, type VerificationMessage } from './verification/verification-sender.js';
