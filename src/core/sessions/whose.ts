/** All of a user's, all of a client's, or all of a user's at a client. */
export type Whose = { sub: string; clientId?: string } | { clientId: string };

/** The same in the words of our tables. */
export function rowsOf(of: Whose): { sub?: string; client_id?: string } {
  const { sub, clientId } = of as { sub?: string; clientId?: string };
  return { ...(sub === undefined ? {} : { sub }), ...(clientId === undefined ? {} : { client_id: clientId }) };
}
