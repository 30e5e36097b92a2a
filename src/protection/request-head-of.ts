import { type RawRequest, type RequestHead, requestHead } from '../base/http/request-head.js';

type Headers = RawRequest['headers'];

/** What stands for a request, as far as it may tell of the headers that came with it. */
interface Told extends Partial<RawRequest> {
  /** Socket.IO: the request that opened the socket, and what came with it: a browser can't set headers there. */
  handshake?: RawRequest & { auth?: { token?: unknown } };
  /** TCP and Redis, which have it from the client's dispatch hook. */
  getMetadata?(): Headers | undefined;
  /** NATS. */
  getHeaders?(): Headers | undefined;
  /** Kafka, RabbitMQ. */
  getMessage?(): { headers?: Headers; properties?: { headers?: Headers } };
  /** gRPC: it is the headers itself. */
  get?: (name: string) => readonly string[];
}

const NO_HEADERS: Headers = {};

/** The head of what stands for a request: one of HTTP, a socket, or the context of a message. */
export function requestHeadOf(request: object): RequestHead {
  const { headers, handshake, get } = request as Told;
  if (headers) return requestHead(request as RawRequest);
  if (handshake) return headOfSocket(handshake);
  return requestHead({ headers: get ? (request as Headers) : headersOfMessage(request) });
}

function headOfSocket(handshake: NonNullable<Told['handshake']>): RequestHead {
  const token = handshake.auth?.token;
  if (typeof token !== 'string') return requestHead(handshake);
  return requestHead({ headers: { ...handshake.headers, authorization: `Bearer ${token}` } });
}

function headersOfMessage(context: Told): Headers {
  const message = context.getMessage?.();
  return (
    context.getMetadata?.() ?? context.getHeaders?.() ?? message?.headers ?? message?.properties?.headers ?? NO_HEADERS
  );
}
