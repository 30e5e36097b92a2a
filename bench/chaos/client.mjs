// An application that users sign in to, with what befalls it: tabs that refresh at once, codes that are sent twice,
// tokens that are stolen. It always plays by the rules; thieves are marked.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { insist } from './wire.mjs';

const VERIFIER = 'a code verifier that only this chaos uses, of 43 and more'.replaceAll(/[^a-z0-9]/g, '-');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const CALLBACK = 'https://app.example.com/callback';

/** How an application is registered: the rest of `clients create`. */
export const REGISTRATION = [
  ...['--grants', 'password,refresh_token,authorization_code,device_code'],
  ...['--redirect-uri', CALLBACK],
];

export class HonestClient {
  /** All that it was given. */
  sessions = [];

  /**
   * @param options.app `client_id`, and `client_secret` unless it is public; a public one has a `device`
   * @param options.users `{ name, password }`, the number of the password that they know for sure
   * @param options.isOver whether it shall go home
   */
  constructor({ name, app, device, users, wire, dice, isOver }) {
    Object.assign(this, { name, app, device, users, wire, dice, isOver });
    this.nodes = [...wire.fronts.keys()];
  }

  async live() {
    while (!this.isOver()) {
      const session = await this.begin();
      if (session) await this.use(session);
      await this.rest(500);
    }
  }

  /** What it holds must be good at the end, too, and what has ended must not. */
  async checkAll() {
    for (const session of this.sessions) {
      await this.refresh(session);
      if (this.app.client_secret === undefined) continue;
      for (const token of session.tokens.slice(-4)) await this.introspectRefresh(session, token);
    }
  }

  async begin() {
    const root = await this.signIn();
    if (!root) return undefined;
    const way = this.dice.pick(['password', 'password', 'code', 'device']);
    return way === 'password' ? root : way === 'code' ? this.byCode(root) : this.byDevice(root);
  }

  async use(session) {
    for (let rounds = this.dice.between(3, 20); rounds > 0 && !this.isOver(); rounds--) {
      if (!(await this.refresh(session))) return;
      if (this.dice.chance(0.1)) await this.introspect(session);
      await this.rest(250);
    }
    if (this.isOver()) return;
    const way = this.dice.between(0, 1);
    if (way < 0.25) await this.revoke(session);
    else if (way < 0.6) await this.beRobbed(session);
    else if (way < 0.65 && session.root === session.name) await this.signOutEverywhere(session);
    else return;
    await this.refresh(session);
  }

  async signIn() {
    const user = this.dice.pick(this.users);
    const answer = await this.insist((node) => {
      const known = { username: user.name, password: `${user.name} and ${user.password}` };
      const event = { did: 'sign_in', user: user.name, password: user.password };
      return this.token(event, node, { grant_type: 'password', ...known });
    });
    return this.opened(answer);
  }

  /** From the session of a sign-in a code for a second one. */
  async byCode(root) {
    const redirect = { redirect_uri: CALLBACK };
    const asked = { ...this.app, ...redirect, code_challenge: CHALLENGE, code_challenge_method: 'S256' };
    const issued = await this.insist((node) => {
      const event = { did: 'issue', code: this.wire.name('c'), session: root.name };
      return this.bearer(event, node, '/auth/v1/user/authorize', root, { body: asked });
    });
    if (issued.said !== 'ok') return undefined;
    await this.rest(1500);
    const proof = { grant_type: 'authorization_code', code: issued.body.code, ...redirect, code_verifier: VERIFIER };
    return this.collect((node) => this.token({ did: 'redeem', code: issued.code }, node, proof), root);
  }

  async byDevice(root) {
    const code = this.wire.name('d');
    const path = '/auth/v1/device/code';
    const started = await this.insist((node) => this.send({ did: 'start', code }, node, path, { body: this.app }));
    if (started.said !== 'ok') return undefined;
    const { user_code, device_code } = started.body;
    const approved = await this.insist((node) => {
      const event = { did: 'approve', code, session: root.name };
      return this.bearer(event, node, '/auth/v1/user/device/authorize', root, { body: { user_code } });
    });
    if (approved.said !== 'ok') return undefined;
    await this.rest(500);
    const proof = { grant_type: 'device_code', device_code };
    return this.collect((node) => this.token({ did: 'poll', code }, node, proof), root);
  }

  /** Redeems a code: at every node at once, or until somebody answers. */
  async collect(redeem, root) {
    const answers = this.dice.chance(0.5) ? await Promise.all(this.nodes.map(redeem)) : [await this.insist(redeem)];
    const won = answers.find(({ said }) => said === 'ok');
    return won && this.opened(won, root.name);
  }

  /** A round of one tab or several, each of which goes on until it knows. @returns whether the session goes on */
  async refresh(session, more = []) {
    const token = session.tokens.at(-1);
    const tabs = this.dice.chance(0.3) ? this.dice.pick([2, 3]) : 1;
    const tab = () => this.insist((node) => this.exchange(session, token, node));
    const [answers] = await Promise.all([Promise.all(Array.from({ length: tabs }, tab)), ...more]);
    const answer = answers.find(({ said }) => said === 'ok');
    if (!answer) return false;
    session.tokens.push(answer.body.refresh_token);
    session.access = answer.body.access_token;
    return answers.every(({ said }) => said === 'ok');
  }

  /** Somebody presents a token of long ago, or from a device of theirs the last one or, in a race with us, the living one. */
  async beRobbed(session) {
    const steal = (token, device) =>
      this.insist((node) => this.exchange(session, token, node, { by: 'thief', thief: true, device }));
    const way = this.device === undefined ? 'old' : this.dice.pick(['old', 'last', 'race']);
    if (way === 'old') return steal(session.tokens.at(-this.dice.pick([3, 4])), this.device);
    if (way === 'last') return steal(session.tokens.at(-2), 'another');
    const theft = steal(session.tokens.at(-1), 'another');
    await this.refresh(session, [theft]);
    const { said, body } = await theft;
    if (said === 'ok') await steal(body.refresh_token, 'another');
  }

  exchange(session, refresh_token, node, more = {}) {
    const event = { did: 'refresh', session: session.name, token: this.wire.tokens.get(refresh_token), ...more };
    return this.token(event, node, { grant_type: 'refresh_token', refresh_token });
  }

  introspect(session) {
    const event = { did: 'introspect', session: session.name };
    return this.bearer(event, this.dice.pick(this.nodes), '/auth/v1/token/introspect', session, { method: 'GET' });
  }

  introspectRefresh(session, token) {
    const event = { did: 'introspect_refresh', session: session.name, token: this.wire.tokens.get(token) };
    return this.send(event, this.dice.pick(this.nodes), '/oauth2/introspect', { body: { ...this.app, token } });
  }

  revoke(session) {
    const event = { did: 'revoke', session: session.name };
    const body = { ...this.app, token: session.tokens.at(-1) };
    return this.insist((node) => this.send(event, node, '/oauth2/revoke', { body }));
  }

  signOutEverywhere(session) {
    const event = { did: 'sign_out_all', session: session.name, user: session.user };
    return this.insist((node) => this.bearer(event, node, '/auth/v1/user/revoke/all', session, { method: 'DELETE' }));
  }

  bearer(event, node, path, { access }, request) {
    return this.send(event, node, path, { ...request, headers: { authorization: `Bearer ${access}` } });
  }

  token(event, node, parameters) {
    const { device = this.device } = event;
    const headers = device === undefined ? {} : { 'x-device-id': device };
    const known = { client: this.app.client_id, ...(device === undefined ? {} : { device }) };
    return this.send({ ...known, ...event }, node, '/auth/v1/token', { body: { ...this.app, ...parameters }, headers });
  }

  send(event, node, path, request) {
    return this.wire.send({ by: this.name, ...event }, node, path, request);
  }

  insist(attempt) {
    return insist(this.dice, this.nodes, attempt);
  }

  /** A session that it was given. */
  opened({ said, session: name, user, body }, root = name) {
    if (said !== 'ok') return undefined;
    const session = { name, user, root, tokens: [body.refresh_token], access: body.access_token };
    this.sessions.push(session);
    return session;
  }

  rest(most) {
    return sleep(this.dice.between(0, most));
  }
}
