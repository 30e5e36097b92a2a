// Somebody with the command nest-auth, who is now and then killed in the middle of it, and tries again until it is done.
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from './node.mjs';

const TRIES = 30;

export class Operator {
  constructor({ databaseUrl, users, clientIds, wire, dice }) {
    Object.assign(this, { databaseUrl, users, clientIds, wire, dice });
  }

  async act() {
    const user = this.dice.pick(this.users);
    const way = this.dice.pick(['disable', 'set_password', 'revoke_user', 'revoke_client']);
    if (way === 'disable') {
      await this.insist({ did: 'disable', user: user.name }, ['users', 'disable', user.name]);
      await sleep(this.dice.between(0, 1500));
      await this.insist({ did: 'enable', user: user.name }, ['users', 'enable', user.name]);
    } else if (way === 'set_password') {
      const password = user.password + 1;
      const args = ['users', 'set-password', user.name, '--password-stdin'];
      await this.insist({ did: 'set_password', user: user.name, password }, args, `${user.name} and ${password}`);
      user.password = password;
    } else if (way === 'revoke_user') {
      await this.insist({ did: 'revoke_user', user: user.name }, ['sessions', 'revoke', '--user', user.name]);
    } else {
      const client = this.dice.pick(this.clientIds);
      await this.insist({ did: 'revoke_client', client }, ['sessions', 'revoke', '--client', client]);
    }
  }

  /** @throws Error where it fails again and again */
  async insist(event, args, input) {
    for (let attempt = 1; ; attempt++) {
      const killAfter = this.dice.chance(0.2) ? this.dice.between(300, 1500) : undefined;
      let failure;
      const { said } = await this.wire.record({ by: 'operator', ...event }, async () => {
        const { code, stderr } = await command(this.databaseUrl, args, { input, killAfter });
        failure = stderr;
        return { said: code === 0 ? 'ok' : code === null ? 'lost' : 'unavailable' };
      });
      if (said === 'ok') return;
      if (attempt === TRIES) throw new Error(`nest-auth ${args.join(' ')}: ${failure}`);
      await sleep(200);
    }
  }
}
