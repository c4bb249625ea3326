import { ServiceError, type ServiceResponse } from './http/message';
import { document } from './http/xml';

const namespace = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';

/** The one stack that `serve` stands for. */
export interface LocalStack {
  readonly name: string;
  readonly startedAt: Date;
  /** Values by the names that the deployed stack gives them (cdk/stack.ts). */
  readonly outputs: Readonly<Record<string, string>>;
}

/** DescribeStacks (query protocol: a form in, XML out). Errors are thrown (ServiceError). */
export function handleCloudFormation(stack: LocalStack, body: Uint8Array): ServiceResponse {
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const action = form.get('Action') ?? '';
  if (action !== 'DescribeStacks') {
    throw new ServiceError(
      400,
      'InvalidAction',
      `this server does not offer ${action || 'requests without Action'}; it offers DescribeStacks`,
    );
  }
  const asked = form.get('StackName');
  if (asked !== null && asked !== stack.name) {
    throw new ServiceError(400, 'ValidationError', `Stack with id ${asked} does not exist`);
  }
  const outputs = Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
  const described = {
    StackId: `arn:aws:cloudformation:local:000000000000:stack/${stack.name}/local`,
    StackName: stack.name,
    CreationTime: stack.startedAt.toISOString(),
    StackStatus: 'CREATE_COMPLETE',
    Outputs: { member: outputs },
  };
  const content = {
    DescribeStacksResult: { Stacks: { member: [described] } },
    ResponseMetadata: { RequestId: 'loopback' },
  };
  return { status: 200, body: document('DescribeStacksResponse', namespace, content) };
}

/** The answer to a request that failed. */
export function cloudFormationFailure({ status, code, message }: ServiceError): ServiceResponse {
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  return { status, body: document('ErrorResponse', namespace, { Error: error, RequestId: 'loopback' }) };
}
