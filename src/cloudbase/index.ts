import './cloudbase.errors.js'; // for the types of AuthError
export { Captcha, type CaptchaChallenge, type CaptchaSubject } from './captcha/captcha.js';
export { VerificationSender, type VerificationMessage } from './verification/verification-sender.js';
