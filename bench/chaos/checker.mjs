// Holds a history against a model of a session that is small enough to be believed. Pure: no clock, no chance.
//
// A session is the chain of its refresh tokens: it is opened with one, and each is exchanged for the next.
//
// | what is presented                                    | what may be answered                                     |
// | ---------------------------------------------------- | -------------------------------------------------------- |
// | the newest token                                     | ok: the next, which no other token was exchanged for     |
// | a token again, by its party and within the window    | ok: the very same next                                   |
// | a token again, by another party                      | refused, for one of both; then the session has ended     |
// | a token whose next one has been exchanged            | refused, and the session has ended                       |
// | anything of a session that has ended                 | refused                                                  |
// | a code                                               | ok once                                                  |
// | anything                                             | unavailable (503, 429), or lost: done, or not            |
//
// Whatever else is refused, is refused to an honest client without a reason: it was logged out.
//
// | what ends sessions                | which                                                                        |
// | --------------------------------- | ---------------------------------------------------------------------------- |
// | revoke                            | its own                                                                      |
// | a refresh that is refused         | its own; that excuses nobody but where a thief presented the token           |
// | a code once more                  | the one that it was redeemed for                                             |
// | set_password                      | of the user, which stand on a sign-in with an earlier password               |
// | disable                           | of the user, which stand on a sign-in from before the user was let in again  |
// | sign_out_all, revoke_user         | of the user, which stand on a sign-in from before                            |
// | revoke_client                     | of the client, opened before, or by a code that was issued before            |
//
// What was answered has ended them from the answer on; what was not may have, from its beginning on.

/** How long what was never answered may still be under way at the database, in milliseconds. */
const LINGERS = 10_000;
const OPENS = ['sign_in', 'redeem', 'poll'];
const WORKS = ['refresh', 'introspect', 'introspect_refresh', 'issue', 'approve', 'sign_out_all'];
const MUST_WORK = ['refresh', 'introspect'];
const ACTS = ['set_password', 'disable', 'sign_out_all', 'revoke_user', 'revoke_client'];

/**
 * @param history events in any order; their members are listed in checker.d.mts
 * @param options.window within which a refresh may be repeated, in milliseconds
 * @param options.skew by how much the nodes' clocks differ, in milliseconds
 * @returns what broke a rule, the first of each rule in each session, with the events that show it
 */
export function check(history, { window = 60_000, skew = 0 } = {}) {
  const events = history.toSorted((one, other) => one.at - other.at);
  const broken = [...faults(events), ...codesTwice(events)];
  for (const session of sessionsOf(events)) {
    const rules = [twoLiving, oldToken, twoParties, workedAfterItsEnd, loggedOut];
    broken.push(...rules.map((rule) => rule(session, window - skew)).filter(Boolean));
  }
  return broken.sort((one, other) => one.events.at(-1).at - other.events.at(-1).at);
}

function faults(events) {
  return events
    .filter(({ said }) => said === 'fault')
    .map((event) => ({ rule: 'fault', why: 'the service failed rather than answer', events: [event] }));
}

function codesTwice(events) {
  const redeemed = events.filter(({ did, code, said }) => OPENS.includes(did) && code && said === 'ok');
  return [...groups(redeemed, 'code')]
    .filter(([, of]) => of.length > 1)
    .map(([code, of]) => ({ rule: 'code twice', why: `${code} was redeemed more than once`, events: of }));
}

/** A chain neither forks nor joins, and belongs to one session. */
function twoLiving({ opening, exchanges }) {
  const seen = [{ ...opening, token: undefined }];
  for (const event of exchanges) {
    const { token, gave, session, gaveSession } = event;
    const other = seen.find((one) => (one.token === token) !== (one.gave === gave));
    if (other) return { rule: 'two living tokens', why: `${session} has more than one chain`, events: [other, event] };
    if (gaveSession) return { rule: 'two living tokens', why: `${token} was good for ${gaveSession}`, events: [event] };
    seen.push(event);
  }
}

function oldToken({ own, exchanges }) {
  const exchanged = (token, at) => exchanges.find((one) => one.token === token && one.end < at);
  for (const event of own.filter(({ said }) => said === 'ok')) {
    // an exchange may be repeated, but nobody is told that its token lives
    const old = { refresh: event.gave, introspect_refresh: event.token }[event.did];
    const before = old && exchanged(old, event.at);
    if (before) return { rule: 'old token', why: `${event.token} worked though it is old`, events: [before, event] };
  }
}

function twoParties({ exchanges }) {
  for (const event of exchanges) {
    const other = exchanges.find(({ token, device }) => token === event.token && device !== event.device);
    if (other) return { rule: 'two parties', why: `${event.token} served two parties`, events: [event, other] };
  }
}

function workedAfterItsEnd({ opening, own, ends }) {
  const works = [opening, ...own.filter(({ did, said }) => WORKS.includes(did) && said === 'ok')];
  for (const event of works) {
    const end = ends.find((one) => one.event !== event && one.from < event.at);
    if (!end) continue;
    const shown = [...new Set([opening, end.event, event])].sort((one, other) => one.at - other.at);
    return { rule: 'worked after its end', why: `${opening.session} worked after its end was answered`, events: shown };
  }
}

function loggedOut({ opening, own, ends }, patience) {
  for (const event of own) {
    if (event.said !== 'refused' || event.thief) continue;
    if (!MUST_WORK.includes(event.did) && event.why !== 'ACCESS_TOKEN_INVALID') continue;
    if (ends.some((one) => one.event !== event && one.perhapsFrom <= event.end)) continue;
    const before = own.filter(({ at }) => at <= event.at);
    const about = before.filter(({ token, gave }) => event.token && [token, gave].includes(event.token));
    if (about.length > 0 && event.end - about.find(({ token }) => token === event.token).at > patience) continue;
    const shown = [...new Set([opening, ...(about.length > 0 ? about : before.slice(-3))])];
    return { rule: 'logged out', why: `nothing explains why ${event.session} was refused`, events: shown };
  }
}

/** Each session with its own events, its exchanges, and all that ends it. */
function sessionsOf(events) {
  const having = (dids, said) => events.filter((event) => dids.includes(event.did) && (!said || event.said === said));
  const own = groups(events, 'session');
  const redeemed = groups(having(['redeem']), 'code');
  const acts = having(ACTS);
  const enabled = having(['enable']);
  const issued = new Map(having(['issue', 'approve'], 'ok').map((event) => [event.code, event]));
  const openings = new Map(having(OPENS, 'ok').map((event) => [event.session, event]));
  const signInOf = (opening) => {
    const from = openings.get(issued.get(opening.code)?.session);
    return from ? signInOf(from) : opening;
  };
  return [...openings.values()].map((opening) => {
    const of = own.get(opening.session).filter(({ did }) => !OPENS.includes(did));
    const again = (redeemed.get(opening.code) ?? []).filter((one) => one !== opening && one.end >= opening.at);
    const basis = { opening, signIn: signInOf(opening), issue: issued.get(opening.code) ?? opening };
    return {
      opening,
      own: of,
      exchanges: of.filter(({ did, said }) => did === 'refresh' && said === 'ok'),
      ends: [
        ...of.flatMap(ownEnd),
        ...again.map((one) => end(one, one.why === 'CODE_REUSED')),
        ...acts.flatMap((act) => endByAct(act, basis, enabled)),
      ],
    };
  });
}

/** @param isSure whether the session has ended by it; else it may have */
function end(event, isSure, perhaps = true) {
  return { event, from: isSure ? event.end : Infinity, perhapsFrom: perhaps ? event.at : Infinity };
}

function ownEnd(event) {
  if (event.did === 'revoke' && event.said !== 'refused') return [end(event, event.said === 'ok')];
  if (event.did !== 'refresh') return [];
  if (event.said === 'refused') return [end(event, true, event.thief)];
  return event.thief ? [end(event, false)] : [];
}

function endByAct(act, { opening, signIn, issue }, enabled) {
  const ofClient = act.did === 'revoke_client';
  if (act.said === 'refused' || (ofClient ? act.client !== opening.client : act.user !== signIn.user)) return [];
  const basis = ofClient ? issue : signIn;
  const letIn = enabled.find(({ user, at }) => user === act.user && at > act.at)?.at ?? Infinity;
  const isBefore = {
    set_password: signIn.password < act.password,
    disable: basis.end <= letIn,
  }[act.did];
  const isMeant = isBefore ?? basis.end < act.at;
  const mayBeMeant = basis.at <= (act.said === 'ok' ? act.end : act.end + LINGERS);
  return isMeant || mayBeMeant ? [end(act, isMeant && act.said === 'ok')] : [];
}

/** The events by one of their members. */
function groups(events, member) {
  const all = new Map();
  for (const event of events) {
    if (!all.has(event[member])) all.set(event[member], []);
    all.get(event[member]).push(event);
  }
  return all;
}
