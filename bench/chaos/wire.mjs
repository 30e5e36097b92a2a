// Sends requests, and writes each with its answer into the history. Secrets get names there: `s7:3` is the third refresh
// token of the seventh session that was seen.
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 60_000; // milliseconds; the front ends every request long before

export class Wire {
  history = [];
  began = performance.now();
  tokens = new Map();
  sessions = new Map();
  counts = new Map();

  /** @param fronts one before each node */
  constructor(fronts) {
    this.fronts = fronts;
  }

  /** Milliseconds since the beginning, by one clock that never steps. */
  now() {
    return Math.round((performance.now() - this.began) * 1000) / 1000;
  }

  /** `c1`, `c2` and so on. */
  name(kind) {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    return `${kind}${count}`;
  }

  /** @param event what is known before it happens @param act says how it ended: `{ said, … }` */
  async record(event, act) {
    const at = this.now();
    const { body, ...outcome } = await act();
    const done = { at, end: this.now(), ...event, ...outcome };
    this.history.push(done);
    return { ...done, body };
  }

  /** Something that nobody asked for, such as the end of a node. */
  note(event) {
    const at = this.now();
    this.history.push({ at, end: at, ...event });
  }

  /** @returns the event, and the answer's body */
  send(event, node, path, { method = 'POST', body, headers } = {}) {
    const init = { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
    return this.record({ node: `n${node}`, ...event }, async () => {
      const answer = await this.ask(this.fronts[node].url + path, init).catch(() => undefined);
      return answer ? this.read(event, ...answer) : { said: 'lost' };
    });
  }

  async ask(url, init) {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE) });
    return [response.status, await response.json()];
  }

  read(event, status, body) {
    if (status === 503 || status === 429) return { said: 'unavailable', body };
    if (status >= 500) return { said: 'fault', why: body.error, body };
    if (status >= 400) return { said: 'refused', why: body.details?.[0]?.reason ?? body.error, body };
    if (body.active === false) return { said: 'refused', why: 'inactive', body };
    if (body.refresh_token === undefined) return { said: 'ok', body };
    const session = this.sessionOf(body.access_token);
    const of = event.session === undefined ? { session } : event.session === session ? {} : { gaveSession: session };
    return { said: 'ok', ...of, gave: this.nameOf(body.refresh_token, session), body };
  }

  sessionOf(accessToken) {
    const { sid } = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString());
    if (!this.sessions.has(sid)) this.sessions.set(sid, this.name('s'));
    return this.sessions.get(sid);
  }

  nameOf(token, session) {
    if (!this.tokens.has(token)) this.tokens.set(token, this.name(`${session}:`));
    return this.tokens.get(token);
  }
}

/** As an SDK does: the same once more, until somebody answers. */
export async function insist(dice, nodes, attempt) {
  for (;;) {
    const answer = await attempt(dice.pick(nodes));
    if (answer.said !== 'lost' && answer.said !== 'unavailable') return answer;
    await sleep(dice.between(50, 800));
  }
}
