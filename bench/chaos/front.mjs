// An HTTP proxy in front of a node. It loses answers: the node has done what it was asked, and the client hears nothing.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

const LOST = 0.04; // share of the answers

export class Front {
  /** How many answers were lost here. */
  lost = 0;
  calm = false;
  server = createServer((asked, answer) => {
    this.pass(asked, answer).catch(() => answer.destroy());
  });

  /** @param node anything with the `port` it listens at at this moment; undefined: it is down */
  constructor(node, dice) {
    this.node = node;
    this.dice = dice;
  }

  async open() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async pass(asked, answer) {
    const body = await buffer(asked);
    const { port } = this.node;
    if (port === undefined) return answer.destroy();
    const { method, url: path, headers } = asked;
    const passed = request({ host: '127.0.0.1', port, method, path, headers: { ...headers, connection: 'close' } });
    passed.end(body);
    const [response] = await once(passed, 'response');
    const said = await buffer(response);
    if (this.calm || !this.dice.chance(LOST)) return answer.writeHead(response.statusCode, response.headers).end(said);
    this.lost++;
    if (this.dice.chance(0.5)) return answer.destroy();
    answer.writeHead(response.statusCode, response.headers);
    answer.write(said.subarray(0, said.length / 2), () => answer.destroy());
  }
}
