// Prints what happened, and what should not have.

/**
 * @param lost how many answers were lost after the request was done
 * @returns how often which thing happened, by its name
 */
export function count(history, lost) {
  const having = (did, ...said) => history.filter((one) => one.did === did && said.includes(one.said)).length;
  const saying = (said) => history.filter((one) => one.said === said && one.did !== 'kill').length;
  const thefts = history.filter(({ thief }) => thief);
  const sent = history.filter(({ did, thief }) => did === 'refresh' && !thief);
  return {
    'sign-ins': having('sign_in', 'ok'),
    refreshes: having('refresh', 'ok'),
    'refreshes sent again': sent.length - new Set(sent.map(({ token }) => token)).size,
    'codes redeemed': having('redeem', 'ok'),
    'codes refused': having('redeem', 'refused'),
    'devices let in': having('poll', 'ok'),
    'devices refused': having('poll', 'refused'),
    introspections: having('introspect', 'ok', 'refused') + having('introspect_refresh', 'ok', 'refused'),
    revokes: having('revoke', 'ok'),
    'thefts refused': thefts.filter(({ said }) => said === 'refused').length,
    'thefts served': thefts.filter(({ said }) => said === 'ok').length, // within the window, or before the client
    'sign-outs everywhere': having('sign_out_all', 'ok') + having('revoke_user', 'ok'),
    'clients revoked': having('revoke_client', 'ok'),
    'users disabled': having('disable', 'ok'),
    'password changes': having('set_password', 'ok'),
    'not answered': saying('lost'),
    'of them done all the same': lost,
    'answered unavailable': saying('unavailable'),
    kills: having('kill', 'ok'),
    outages: having('away', 'ok'),
  };
}

export function printCounts(counts) {
  const width = Math.max(...Object.values(counts).map((value) => String(value).length));
  for (const [name, value] of Object.entries(counts)) console.log(`${String(value).padStart(width)}  ${name}`);
}

export function printViolation({ rule, why, events }) {
  console.log(`\nBROKEN: ${rule}: ${why}`);
  for (const event of events) console.log(`  ${line(event)}`);
}

function line({ at, end, by = '', node = '-', did, said, why, gave, gaveSession, ...about }) {
  const moment = (ms) => (ms / 1000).toFixed(3).padStart(8);
  const what = ['session', 'token', 'code', 'user', 'password', 'client', 'device']
    .filter((name) => about[name] !== undefined)
    .map((name) => `${name} ${about[name]}`);
  const answer = [said, why, gave && `gave ${gave}`, gaveSession && `of ${gaveSession}`].filter(Boolean);
  return `${moment(at)} –${moment(end)}  ${node}  ${by.padEnd(8)}  ${did}(${what.join(', ')}): ${answer.join(' ')}`;
}
