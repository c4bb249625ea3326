import type { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';

const oneOrMore = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([z.array(schema), schema.transform((value) => [value])]);

const policySchema = z.object({
  Properties: z.object({
    Roles: z.array(z.object({ Ref: z.string() })),
    PolicyDocument: z.object({
      Statement: z.array(
        z.object({
          Effect: z.literal('Allow'),
          Action: oneOrMore(z.string()),
          Resource: oneOrMore(z.unknown()),
          Condition: z.record(z.string(), z.record(z.string(), oneOrMore(z.string()))).optional(),
        }),
      ),
    }),
  }),
});

/**
 * All that the policies of a role allow, one `action resource` each, sorted, with `if …` where there is a condition.
 * Resources are written as CloudFormation joins them, references by the name of the resource in this stack.
 */
export function permissionsOf(template: Template, role: string): string[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy')).map((policy) =>
    policySchema.parse(policy),
  );
  return policies
    .filter(({ Properties }) => Properties.Roles.some(({ Ref }) => nameOf(Ref) === role))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .flatMap(({ Action, Resource, Condition }) =>
      Action.flatMap((action) => Resource.map((resource) => `${action} ${render(resource)}${conditionOf(Condition)}`)),
    )
    .sort();
}

/** Whether an action on a key of the data bucket is among these permissions. */
export function allowsKey(permissions: readonly string[], action: string, key: string): boolean {
  const prefix = `${action} StorageData.Arn/`;
  return permissions
    .filter((permission) => permission.startsWith(prefix))
    .some((permission) => matches(permission.slice(prefix.length), key));
}

/** Whether listing the keys of the data bucket with a prefix is among these permissions. */
export function allowsListing(permissions: readonly string[], prefix: string): boolean {
  const permission = 's3:ListBucket StorageData.Arn if s3:prefix StringLikeIfExists ';
  return permissions
    .filter((each) => each.startsWith(permission))
    .flatMap((each) => each.slice(permission.length).split(' | '))
    .some((pattern) => matches(pattern, prefix));
}

/** `*` stands for anything, `/` included, as in IAM. */
const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`).test(text);

/** A logical id without the hash that the CDK appends. */
export const nameOf = (logicalId: string) => logicalId.replace(/[0-9A-F]{8}$/, '');

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function conditionOf(condition: Record<string, Record<string, string[]>> | undefined): string {
  if (condition === undefined) return '';
  const tests = Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${key} ${operator} ${values.join(' | ')}`),
  );
  return ` if ${tests.join(' and ')}`;
}

const referenceSchema = z.union([
  z.strictObject({ Ref: z.string() }).transform(({ Ref }) => nameOf(Ref)),
  z
    .strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })
    .transform(({ 'Fn::GetAtt': [id, attribute] }) => `${nameOf(id)}.${attribute}`),
]);
const joinSchema = z.strictObject({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });

function render(value: unknown): string {
  if (typeof value === 'string') return value;
  const join = joinSchema.safeParse(value);
  if (join.success) return join.data['Fn::Join'][1].map(render).join('');
  return referenceSchema.parse(value);
}
