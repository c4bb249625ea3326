import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

export interface Started {
  readonly name: string;
  readonly input: unknown;
}

export interface LoopbackAws {
  /** The variables by which the AWS SDK finds Step Functions and EventBridge here. */
  readonly environment: Record<string, string>;
  /** Executions that were started, each once. */
  readonly started: readonly Started[];
  /** Events that were published: their type and detail. */
  readonly published: readonly { readonly type: string; readonly detail: unknown }[];
  close(): Promise<void>;
}

const startSchema = z.object({ name: z.string(), input: z.string() });
const eventsSchema = z.object({ Entries: z.array(z.object({ DetailType: z.string(), Detail: z.string() })) });

/** StartExecution and PutEvents on this machine: they remember what they were asked for. */
export async function startLoopbackAws(): Promise<LoopbackAws> {
  const started: Started[] = [];
  const published: { type: string; detail: unknown }[] = [];
  const answers: Readonly<Record<string, (body: unknown) => { status: number; body: object }>> = {
    'AWSStepFunctions.StartExecution': (body) => {
      const { name, input } = startSchema.parse(body);
      if (started.some((earlier) => earlier.name === name)) {
        return { status: 400, body: { __type: 'ExecutionAlreadyExists', message: name } };
      }
      started.push({ name, input: JSON.parse(input) });
      return { status: 200, body: { executionArn: `arn:aws:states:${name}`, startDate: 1_800_000_000 } };
    },
    'AWSEvents.PutEvents': (body) => {
      const { Entries } = eventsSchema.parse(body);
      for (const { DetailType, Detail } of Entries) published.push({ type: DetailType, detail: JSON.parse(Detail) });
      return { status: 200, body: { FailedEntryCount: 0, Entries: Entries.map((_, i) => ({ EventId: String(i) })) } };
    },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[String(request.headers['x-amz-target'])];
      const { status, body } = answer
        ? answer(JSON.parse(Buffer.concat(chunks).toString()))
        : { status: 501, body: { __type: 'NotImplemented' } };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    environment: { AWS_ENDPOINT_URL_SFN: endpoint, AWS_ENDPOINT_URL_EVENTBRIDGE: endpoint },
    started,
    published,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
