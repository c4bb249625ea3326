/** A request as the handlers of a service see it: its signature has been verified. */
export interface ServiceRequest {
  readonly method: string;
  /** As it was sent, percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
}

/** Header names are in lower case. */
export type Headers = Readonly<Record<string, string>>;

export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: Uint8Array | string;
}

/** An answer with an error code of AWS. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Further elements of the answer, e.g. ActualObjectSize. */
    readonly details: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
