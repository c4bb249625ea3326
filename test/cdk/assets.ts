import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import type { FunctionName } from '../../cdk/constructs/access';

const functionSchema = z.object({
  Properties: z.object({ Description: z.string(), Code: z.object({ S3Key: z.string() }) }),
});

/** The folder that becomes the zip of a function, in the cloud assembly at `folder`. */
export function assetFolder(template: Template, folder: string, name: FunctionName): string {
  const all = Object.values(template.findResources('AWS::Lambda::Function')).map((each) => functionSchema.parse(each));
  const { Properties } = all.find((each) => each.Properties.Description === `Baverly: ${name}`)!;
  return path.join(folder, `asset.${path.basename(Properties.Code.S3Key, '.zip')}`);
}

/** All files below a folder by their path in it, `/`-separated. */
export function filesOf(folder: string): Record<string, Uint8Array> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(folder, file).split(path.sep).join('/'), new Uint8Array(readFileSync(file))]),
  );
}
