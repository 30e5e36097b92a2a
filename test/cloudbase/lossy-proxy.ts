import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A network between an app and the service that loses answers: the service has committed, and nobody hears of it. */
export class LossyProxy {
  private constructor(
    private readonly server: Server,
    readonly url: string,
    private readonly paths: string[],
    private readonly addresses: string[],
  ) {}

  static async to(target: string): Promise<LossyProxy> {
    const paths: string[] = [];
    const addresses: string[] = [];
    const server = createServer((incoming, outgoing) => {
      const { method } = incoming;
      const headers = { ...incoming.headers, ...(addresses[0] && { 'x-forwarded-for': addresses[0] }) };
      if (addresses.length > 1) addresses.shift();
      const onward = request(new URL(incoming.url!, target), { method, headers }, (answer) => {
        const lost = paths.indexOf(incoming.url!.split('?', 1)[0]!);
        if (lost !== -1) {
          paths.splice(lost, 1);
          answer.resume().on('end', () => outgoing.destroy()); // it was answered in full
          return;
        }
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LossyProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths, addresses);
  }

  /** Loses the answers to the next requests to these paths. */
  lose(...paths: string[]): void {
    this.paths.push(...paths);
  }

  /** The app's addresses in its next requests; it stays at the last. */
  travel(...addresses: string[]): void {
    this.addresses.splice(0, Infinity, ...addresses);
  }

  /** How many answers are still to be lost. */
  get left(): number {
    return this.paths.length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
