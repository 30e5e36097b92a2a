export { AuthTestingModule } from './auth-testing.module.js';
export { TestClock } from './test-clock.js';
export { tokenFor, type TokenClaims } from './token-for.js';
