import { ServiceError, type ServiceRequest } from './message';

/**
 * Refuses what does not come from a program that means this server. A web page may send requests to 127.0.0.1 too: under a name
 * of its own that it made resolve to it (DNS rebinding), which then stands in the Host header, or from its own origin, which
 * browsers name in Origin and Sec-Fetch-Site.
 */
export function refuseForeign({ headers }: ServiceRequest, port: number): void {
  const host = headers.host ?? '';
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    throw refused(`this server is 127.0.0.1:${port}, not ${host.slice(0, 100) || 'a server without name'}`);
  }
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    throw refused('requests of web pages are not answered');
  }
}

const refused = (message: string): ServiceError => new ServiceError(403, 'AccessDenied', `Access Denied: ${message}`);
