import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../errors';
import { cloudFormationFailure, handleCloudFormation, type LocalStack } from './cloudformation';
import { localCredentials } from './credentials';
import { createGate } from './http/gate';
import { refuseForeign } from './http/guard';
import { type Headers, ServiceError, type ServiceRequest, type ServiceResponse } from './http/message';
import { bodyOf, requestOf, sendResponse } from './http/server';
import { type ServiceName, verifyPlainBody, verifySignature } from './http/signature';
import { handleS3, type S3Service, s3Failure } from './s3/handle';
import type { Executions } from './step-functions/executions';
import { handleStepFunctions, stepFunctionsFailure } from './step-functions/handle';

export interface EndpointOptions {
  readonly port: number;
  readonly s3: S3Service;
  readonly executions: Executions;
  readonly stack: LocalStack;
  readonly log: (line: string) => void;
}

/** Bytes of one request's body; what is larger is sent in parts (multipart uploads). */
const longestBody = 512 * 2 ** 20;
/** Bytes of all bodies under way. */
const longestTogether = 2 * longestBody;
/** Of the services other than S3, as AWS has it for Step Functions. */
const longestCall = 2 ** 20;

const accessKeys = { [localCredentials.accessKeyId]: localCredentials.secretAccessKey };

const failures: Readonly<Record<ServiceName, (error: ServiceError) => ServiceResponse>> = {
  s3: s3Failure,
  states: stepFunctionsFailure,
  cloudformation: cloudFormationFailure,
};

/** Answers requests of S3, Step Functions and CloudFormation, told apart by what their signature is for. */
export function createEndpoint(options: EndpointOptions) {
  const { port, s3, executions, stack, log } = options;
  const gate = createGate(longestTogether);

  async function answer(service: ServiceName, request: ServiceRequest, message: IncomingMessage) {
    refuseForeign(request, port);
    const body = await bodyOf(message, service === 's3' ? longestBody : longestCall);
    verifySignature(request, body, accessKeys);
    if (service === 's3') return handleS3(s3, request, body);
    verifyPlainBody(body, request.headers);
    return service === 'states' ? handleStepFunctions(executions, request, body) : handleCloudFormation(stack, body);
  }

  return async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = requestOf(message);
    const service = serviceOf(request.headers);
    // Of a body that does not say its length, all that it may have.
    const unknown = request.headers['transfer-encoding'] === undefined ? 0 : longestBody;
    const bytes = Number(request.headers['content-length'] ?? unknown);
    let result: ServiceResponse;
    try {
      result = await gate.within(bytes, () => answer(service, request, message));
    } catch (error) {
      const known = error instanceof ServiceError ? error : new ServiceError(500, 'InternalError', messageOf(error));
      if (known.status >= 500) log(`${request.method} ${request.path}: ${known.code}: ${known.message}`);
      result = failures[service](known);
    }
    sendResponse(message, response, result);
  };
}

/** The service that a signature claims to be for; verifySignature then checks it. */
function serviceOf({ authorization = '' }: Headers): ServiceName {
  const [, name] = /Credential=[^,]*\/(s3|states|cloudformation)\/aws4_request/.exec(authorization) ?? [];
  return (name ?? 's3') as ServiceName;
}
