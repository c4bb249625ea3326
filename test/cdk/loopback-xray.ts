import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const segmentSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  trace_id: z.string(),
  parent_id: z.string(),
  namespace: z.string().optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
  fault: z.boolean().optional(),
  in_progress: z.boolean().optional(),
});
/** A subsegment, as it is sent when it ends. */
export type Subsegment = z.infer<typeof segmentSchema>;

export interface LoopbackXRay {
  /** The variables that Lambda sets for a function whose call is traced. */
  readonly environment: Record<string, string>;
  /** The id of the segment that Lambda itself makes of the call. */
  readonly call: string;
  readonly subsegments: readonly Subsegment[];
  close(): Promise<void>;
}

/** The daemon of X-Ray on this machine: it remembers what it is sent. */
export async function startLoopbackXRay(): Promise<LoopbackXRay> {
  const subsegments: Subsegment[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message) => {
    // A header, then the document.
    const [, document] = message.toString().split('\n');
    subsegments.push(segmentSchema.parse(JSON.parse(document!)));
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  const call = '53995c3f42cd8ad8';
  return {
    call,
    subsegments,
    environment: {
      AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${port}`,
      _X_AMZN_TRACE_ID: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=${call};Sampled=1`,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      LAMBDA_TASK_ROOT: '/var/task',
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
