import type { Node } from 'constructs';
import { z } from 'zod';
import { BadInputError } from '../lib/errors';

const amount = (what: string) => z.coerce.number({ error: what }).positive(what);

const settingsSchema = z.object({
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,79}$/, 'a letter, then letters, digits and hyphens, at most 80 in all')
    .default('Baverly'),
  alarmEmail: z.email('an e-mail address').optional(),
  notifyEmails: z
    .string()
    .transform((text) => text.split(',').map((address) => address.trim()))
    .pipe(z.array(z.email('e-mail addresses with commas between')))
    .default([]),
  verifyConcurrency: z.coerce
    .number({ error: 'a whole number of functions' })
    .int('a whole number of functions')
    .min(1, 'at least 1')
    .max(10_000, 'at most 10000')
    .optional(),
  alarmRunUsd: amount('US dollars above 0').default(50),
  alarmUnknownShare: amount('a share above 0, at most 1').max(1, 'a share above 0, at most 1').default(0.5),
  alarmVelocity: amount('balls per CPU-second above 0').default(0.001),
  onnxPlatform: z
    .templateLiteral([z.enum(['linux', 'darwin', 'win32']), '/', z.enum(['arm64', 'x64'])], {
      error: 'linux/arm64 or linux/x64',
    })
    .default('linux/arm64'),
});

/** What may be chosen at synthesis, each by context (`-c alarmEmail=me@example.org`). */
export interface Settings {
  /** Name of the CloudFormation stack: several may live in one account. */
  readonly stackName: string;
  /** Where alarms and all notifications go; without it alarms only show in the console. */
  readonly alarmEmail?: string;
  /** Who may be named by `notify` of a policy: each address gets the events of the policies that name it. */
  readonly notifyEmails: readonly string[];
  /**
   * Most `verify` functions at the same time, and as many `refine`, of all runs together: reserved for them, so that others can neither
   * take these nor lose theirs to them. Without it the account's own limit is the only one; a new account has too few to reserve any.
   */
  readonly verifyConcurrency?: number;
  /** Above this many US dollars of one run there is an alarm. A cap is what ends a run: `maxUsd` of its request or policy. */
  readonly alarmRunUsd: number;
  /** Above this share of `unknown` among the balls of one run there is an alarm. */
  readonly alarmUnknownShare: number;
  /** Below so many proven balls per CPU-second, over an hour with work to do, there is an alarm. */
  readonly alarmVelocity: number;
  /**
   * Operating system and processor that the functions run on, as Node.js names them; Lambda runs Linux only. The tests
   * choose the machine that they run on, so that they can execute what was bundled.
   */
  readonly onnxPlatform: z.infer<typeof settingsSchema>['onnxPlatform'];
}

/** Reads the settings from a construct's context. Throws BadInputError listing every setting that cannot be used. */
export function readSettings(node: Node): Settings {
  const given = Object.fromEntries(
    Object.keys(settingsSchema.shape).map((key) => [key, node.tryGetContext(key) ?? undefined]),
  );
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) {
    throw new BadInputError(
      'context of the deployment',
      parsed.error.issues.map(
        (issue) => `${issue.path.join('.')} is ${JSON.stringify(given[String(issue.path[0])])}: give ${issue.message}`,
      ),
    );
  }
  const { alarmEmail, verifyConcurrency, ...settings } = parsed.data;
  return {
    ...settings,
    ...(alarmEmail !== undefined && { alarmEmail }),
    ...(verifyConcurrency !== undefined && { verifyConcurrency }),
  };
}
