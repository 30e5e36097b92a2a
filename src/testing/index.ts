export { AuthTestingModule } from './auth-testing.module.js';
export { Inbox } from './inbox.js';
export { TestClock } from './test-clock.js';
export { tokenFor, type TokenClaims } from './token-for.js';
