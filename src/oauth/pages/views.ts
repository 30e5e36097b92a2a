import type { PageSource } from '../../base/pages/page-source.js';
import { MESSAGES } from './messages.js';
import { layout } from './templates/layout.js';
import { scopes } from './templates/scopes.js';
import { ways } from './templates/ways.js';
import { signIn } from './templates/sign-in.js';
import { consent } from './templates/consent.js';
import { device } from './templates/device.js';
import { deviceConfirm } from './templates/device-confirm.js';
import { deviceDone } from './templates/device-done.js';
import { signOut } from './templates/sign-out.js';
import { signedOut } from './templates/signed-out.js';
import { formPost } from './templates/form-post.js';
import { error } from './templates/error.js';
import type { Way } from './way.js';

/**
 * What each page shows, by the name of its template. A host's own templates get the same; a module with pages of its own
 * declares what they show into this interface.
 */
export interface Views {
  'sign-in': {
    /** Where the form goes. */
    action: string;
    /** What the form carries along. */
    hidden: Record<string, string>;
    /** The client's name; left out: for a device. */
    client?: string;
    /** What to put into the username field. */
    username?: string;
    /** What was wrong with the last attempt. */
    problem?: string;
    /** Who has signed in since the page was drawn that this form came from. */
    signedInAs?: string;
    /** The riddle of the host's captcha, where it wants one solved: an image as a data: URL, or the address of a page. */
    captcha?: { token: string; image: string } | { token: string; page: string };
  };
  consent: {
    action: string;
    hidden: Record<string, string>;
    client: string;
    scope: string[];
    username: string;
    /** Where the browser goes afterwards: a host, or the URI of a native app. */
    destination: string;
    /** Link to sign in as somebody else. */
    switchAccount: string;
  };
  device: {
    action: string;
    userCode?: string;
    username: string;
    signOut: string;
    problem?: string;
  };
  'device-confirm': {
    action: string;
    userCode: string;
    client: string;
    scope: string[];
    username: string;
  };
  'device-done': { allowed: boolean; ways: Way[] };
  'sign-out': { action: string; hidden: Record<string, string>; username: string };
  'signed-out': { ways: Way[] };
  'form-post': { action: string; hidden: Record<string, string>; client: string; script: string };
  error: { problem: string; requestId: string; ways: Way[] };
}

export type PageName = keyof Views;

/** The pages of this folder, and the parts that every page is made of. */
export const PAGES = {
  templates: {
    layout,
    scopes,
    ways,
    'sign-in': signIn,
    consent,
    device,
    'device-confirm': deviceConfirm,
    'device-done': deviceDone,
    'sign-out': signOut,
    'signed-out': signedOut,
    'form-post': formPost,
    error,
  } satisfies Partial<Record<PageName | 'layout' | 'scopes' | 'ways', string>>,
  messages: MESSAGES,
} satisfies PageSource;
