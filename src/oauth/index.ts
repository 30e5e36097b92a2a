import './oauth.errors.js'; // for the types of AuthError
export { ConsentService } from './authorization/consent.service.js';
export { BrowserSessionService } from './browser/browser-session.service.js';
export { Pages, type Page } from './pages/pages.js';
export type { PageName, Views } from './pages/views.js';
