import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Headers, ServiceError, type ServiceRequest, type ServiceResponse } from './message';

export interface Loopback {
  /** `http://127.0.0.1:<port>`; an address makes clients put the bucket into the path. */
  readonly endpoint: string;
  readonly port: number;
  /** Takes no new requests, answers those at work, and closes every connection after so many milliseconds (default 0). */
  close(patience?: number): Promise<void>;
}

/** Listens on 127.0.0.1 and nowhere else; 0 is any free port. Rejects when the port is taken. */
export async function listenOnLoopback(
  port: number,
  answer: (message: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Loopback> {
  const server = createServer((message, response) => {
    answer(message, response).catch(() => message.socket.destroy());
  });
  // Longer than clients wait between two looks (`watch`), so that they do not meet a connection that is just being closed.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const actual = (server.address() as AddressInfo).port;
  return { endpoint: `http://127.0.0.1:${actual}`, port: actual, close: (patience = 0) => close(server, patience) };
}

async function close(server: Server, patience: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), patience);
  await new Promise<void>((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}

export function requestOf(message: IncomingMessage): ServiceRequest {
  const [path, search = ''] = (message.url ?? '').split('?');
  const headers: Headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
  );
  return { method: message.method ?? '', path, query: new URLSearchParams(search), headers };
}

/** The body of a request. ServiceError EntityTooLarge, without reading on, for more bytes than `longest`. */
export async function bodyOf(message: IncomingMessage, longest = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const tooLarge = (): ServiceError =>
    new ServiceError(400, 'EntityTooLarge', `Your proposed upload exceeds the maximum of ${longest} bytes here`);
  if (Number(message.headers['content-length'] ?? 0) > longest) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message) {
    length += chunk.length;
    if (length > longest) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Without copying what may be large. */
function bytesOf(body: Uint8Array | string): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** @param cutAfter the connection breaks after so many bytes of the body */
export function sendResponse(
  message: IncomingMessage,
  response: ServerResponse,
  result: ServiceResponse,
  cutAfter?: number,
): void {
  const body = bytesOf(result.body ?? '');
  response.writeHead(result.status, {
    ...(typeof result.body === 'string' && { 'content-type': 'application/xml' }),
    ...(result.status !== 204 && result.status !== 304 && { 'content-length': body.length }),
    'x-amz-request-id': 'loopback',
    ...(message.complete ? {} : { connection: 'close' }),
    ...result.headers,
  });
  if (cutAfter !== undefined) {
    response.write(body.subarray(0, cutAfter), () => message.socket.destroy());
  } else {
    response.end(message.method === 'HEAD' ? undefined : body);
  }
}
