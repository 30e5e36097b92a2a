import type { Client } from '../clients/client.entity.js';
import { isWholeScope } from '../clients/scope.js';

/*
 * Whether a session's tokens may act on the whole account of its user follows from how it was opened, never from what
 * the client could do besides. Who asks for less than the client's default scope gets less, in this, too: such a token
 * is for somebody else's resource server.
 */

/** The user gave this very client the proof of who they are: a password, a code. It could do all of it anyway. */
export function givenByUser(client: Client, scope: string[]): boolean {
  return isWholeScope(client, scope);
}

/**
 * A code was issued instead. Then only the operator's own clients may, and only where nobody else can pass for them: a
 * client that the user has to be asked about was given a part of the account, and must not get from there at the rest.
 * @param proven whether it can be nobody but the client that takes the code
 */
export function givenByCode(client: Client, scope: string[], proven: boolean): boolean {
  return client.first_party && proven && isWholeScope(client, scope);
}
