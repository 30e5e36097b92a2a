/** What each page shows, by the name of its template. A host's own templates get the same. */
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
  'device-done': { allowed: boolean };
  'sign-out': { action: string; hidden: Record<string, string>; username: string };
  'signed-out': object;
  'form-post': { action: string; hidden: Record<string, string>; client: string; script: string };
  error: { problem: string; requestId: string };
}

export type PageName = keyof Views;
