/** What a credential is judged by that comes with a request: an HttpExchange, or the head of a request elsewhere. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly url: string;
  /** @param name in lower case, here and below */
  header(name: string): string | undefined;
  headerValues(name: string): readonly string[];
}

/** Kafka's are bytes. */
type Value = string | Buffer;
type Values = Value | readonly Value[] | undefined;

/** A request as node, Express and Fastify have it, or what a gateway has kept of one. */
export interface RawRequest {
  method?: string;
  url?: string;
  originalUrl?: string;
  /** By name in lower case, or with `get(name)`, such as Fetch's. */
  headers: Readonly<Record<string, Values>> | { get: (name: string) => Values | null };
}

const HEAD = Symbol('head');

/** The head of a request, the same one each time. */
export function requestHead(raw: RawRequest & { [HEAD]?: RequestHead }): RequestHead {
  return (raw[HEAD] ??= read(raw));
}

function read({ method = 'GET', url = '/', originalUrl = url, headers }: RawRequest): RequestHead {
  const valuesOf = (name: string): string[] => {
    const values = isMap(headers) ? headers.get(name) : headers[name];
    return [values ?? []].flat().map(String);
  };
  return { method, url: originalUrl, header: (name) => valuesOf(name)[0], headerValues: valuesOf };
}

function isMap(headers: RawRequest['headers']): headers is { get: (name: string) => Values | null } {
  return typeof headers['get'] === 'function';
}
