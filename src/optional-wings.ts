// One line each: without it, and without the folder's line in index.ts, the wing is out of the package.
export { CloudbaseModule as cloudbase } from './cloudbase/cloudbase.module.js';
export { OAuthModule as oauth } from './oauth/oauth.module.js';
