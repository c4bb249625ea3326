import { BadInputError, messageOf } from '../errors';

/** AWS, or the way to it, failed. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
}

/** What a command talks to, for messages. */
export interface Target {
  readonly stack: string;
  /** Undefined: that of the environment. */
  readonly endpoint: string | undefined;
  readonly bucket: string | undefined;
  readonly stateMachine: string | undefined;
}

const credentials = 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** Problems with what was given (also by the environment), by the name of the error; each may look at target and message. */
const known: Readonly<Record<string, (target: Target, message: string) => BadInputError>> = {
  ...each(['CredentialsProviderError', 'TokenProviderError', 'MissingAuthenticationToken'], (_, message) => {
    return new BadInputError('AWS credentials', [`none were found (${message}): ${credentials}`]);
  }),
  ...each(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'], () => {
    return new BadInputError('AWS credentials', ['they have expired: log in again, e.g. with `aws sso login`']);
  }),
  ...each(
    ['InvalidAccessKeyId', 'InvalidClientTokenId', 'UnrecognizedClientException', 'SignatureDoesNotMatch'],
    (_, message) => new BadInputError('AWS credentials', [`they were refused (${message}): ${credentials}`]),
  ),
  ...each(['AccessDenied', 'AccessDeniedException'], (_, message) => {
    const needed = 'docs/clients.md lists what the commands need';
    return new BadInputError('AWS credentials', [`they do not allow it (${message}): ${needed}`]);
  }),
  ...each(['NoSuchBucket'], ({ stack, bucket }) => {
    const from = bucket === undefined ? `stack ${stack} names it, so deploy again` : 'give another --bucket';
    return new BadInputError(`bucket ${bucket ?? ''}`.trim(), [`there is no such bucket: ${from}`]);
  }),
  ...each(['StateMachineDoesNotExist', 'InvalidArn'], ({ stateMachine, stack }, message) => {
    const from =
      stateMachine === undefined ? `stack ${stack} names it, so deploy again` : 'give another --state-machine';
    return new BadInputError(`state machine ${stateMachine ?? ''}`.trim(), [`${message}: ${from}`]);
  }),
};

const unreachable = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'TimeoutError',
];

/**
 * What a person can do something with, for whatever the AWS SDK or storage threw: BadInputError where credentials, region,
 * stack, bucket or state machine are wrong; RemoteError where AWS cannot be reached or fails; anything else as it is.
 */
export function explained(error: unknown, target: Target): unknown {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof BadInputError || cause instanceof RemoteError) return cause;
    if (Object.hasOwn(known, cause.name)) return known[cause.name](target, cause.message);
    if (cause.message === 'Region is missing') {
      return new BadInputError('AWS region', ['none is set: give --region or set AWS_REGION']);
    }
    const code = codeOf(cause);
    if (code !== undefined) {
      const where = target.endpoint ?? 'AWS';
      const advice = target.endpoint === undefined ? 'is there a network?' : 'is `npx baverly serve` running there?';
      return new RemoteError(`${where} cannot be reached (${code}): ${advice}`, { cause: error });
    }
    if ('$metadata' in cause) return new RemoteError(`AWS answered ${cause.name}: ${cause.message}`, { cause: error });
  }
  return error;
}

/** Why there was no connection, if that is what the error says: by its code, its name, or (where the SDK wrapped it) its message. */
function codeOf(error: Error): string | undefined {
  // Several addresses were tried.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const said = [error, first].flatMap((each) =>
    each instanceof Error ? ['code' in each ? messageOf(each.code) : '', each.name, ...each.message.split(' ')] : [],
  );
  return unreachable.find((name) => said.includes(name));
}

/** Whether there was no connection, and there may be one later. */
export function isUnreachable(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (codeOf(cause) !== undefined) return true;
  }
  return false;
}

function each<T>(names: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}
