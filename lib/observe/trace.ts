import type { Tracer } from '@aws-lambda-powertools/tracer';
import { messageOf } from '../errors';
import type { Step } from '../group/step';

/**
 * Traces for X-Ray, which go to its daemon beside a Lambda. Elsewhere, and with POWERTOOLS_TRACE_ENABLED=false, there is none: neither
 * Powertools nor the X-Ray SDK is loaded, and all that follows just does the work.
 */
const tracer = isTraced(process.env) ? createTracer() : undefined;

function isTraced(env: NodeJS.ProcessEnv): boolean {
  return env.AWS_LAMBDA_FUNCTION_NAME !== undefined && env.POWERTOOLS_TRACE_ENABLED?.toLowerCase() !== 'false';
}

function createTracer(): Tracer | undefined {
  const powertools = require('@aws-lambda-powertools/tracer') as typeof import('@aws-lambda-powertools/tracer');
  // Requests to AWS are traced by their clients: by HTTP they would be there twice.
  const made = new powertools.Tracer({ captureHTTPsRequests: false });
  return made.isTracingEnabled() ? made : undefined;
}

/** The work as a subsegment of what is under way, with the error that ends it. */
export const tracedStep: Step = (name, work) => {
  if (tracer === undefined) return work();
  const inside = async (subsegment?: { close(): void }): ReturnType<typeof work> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Error) tracer.addErrorAsMetadata(error);
      throw error;
    } finally {
      try {
        subsegment?.close();
      } catch (error) {
        // What was found out counts, not the record of how long it took.
        console.warn(JSON.stringify({ message: 'step not traced', name, error: messageOf(error) }));
      }
    }
  };
  // The provider gives what the function gives, but its type does not say so.
  return tracer.provider.captureAsyncFunc(name, inside) as ReturnType<typeof work>;
};

/**
 * A handler as a subsegment of its call, which annotations need: X-Ray takes none on the segment that Lambda makes.
 *
 * @param name of the function
 */
export function traced<T>(name: string, handler: (input: unknown) => Promise<T>): (input: unknown) => Promise<T> {
  return (input) => tracedStep(name, () => handler(input));
}

/** By what traces are found: `annotation.run = "..."`, also with `round` and `batch`. */
export function annotate(about: Readonly<Partial<Record<'run' | 'round' | 'batch', string | number>>>): void {
  if (tracer === undefined) return;
  for (const [key, value] of Object.entries(about)) tracer.putAnnotation(key, value);
}

/** A client of the AWS SDK whose requests are subsegments. */
export function tracedClient<Client>(client: Client): Client {
  return tracer === undefined ? client : tracer.captureAWSv3Client(client);
}
