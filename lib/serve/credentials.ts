/**
 * What requests to `serve` are signed with. They are no secret: they keep requests that were meant for AWS, signed with keys
 * of AWS, from being answered, and nothing else.
 */
export const localCredentials = { accessKeyId: 'BAVERLYLOCAL', secretAccessKey: 'only-on-this-machine' } as const;

/** The region that signatures name; any is accepted. */
export const localRegion = 'us-east-1';

export const localBucket = 'baverly-local';
export const defaultPort = 4750;
