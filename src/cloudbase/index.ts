export { Captcha, type CaptchaChallenge, type CaptchaSubject } from './captcha/captcha.js';
export {
  type ContactNotice,
  VerificationSender,
  type VerificationMessage,
} from './verification/verification-sender.js';
