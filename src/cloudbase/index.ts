import './cloudbase.errors.js'; // for the types of AuthError
export { Inbox } from './verification/inbox.js';
export type { VerificationMessage } from './verification/verification-message.js';
export type { VerificationPurpose } from './verification/verification-purpose.js';
export { type ContactNotice, VerificationSender } from './verification/verification-sender.js';
