import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A mail server that takes every mail, for `smtpUrl`. */
export interface Mailbox {
  url: string;
  /** As they came, headers first. */
  mails: string[];
  close(): void;
}

export async function openMailbox(): Promise<Mailbox> {
  const mails: string[] = [];
  const smtp = createServer((socket) => {
    let data: string | undefined;
    socket.write('220 test ESMTP\r\n');
    socket.on('data', (chunk) => {
      if (data !== undefined) {
        data += chunk.toString();
        if (!data.endsWith('\r\n.\r\n')) return;
        mails.push(data);
        data = undefined;
        socket.write('250 taken\r\n');
      } else if (/^DATA/i.test(chunk.toString())) {
        data = '';
        socket.write('354 go on\r\n');
      } else socket.write(/^QUIT/i.test(chunk.toString()) ? '221 bye\r\n' : '250 test\r\n');
    });
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(smtp, 'listening');
  const { port } = smtp.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, mails, close: () => void smtp.close() };
}
