import path from 'node:path';

/** The root of the repository: this file is in cdk/, and its bundle in .build/ (run.cjs), both directly below the root. */
const root = path.resolve(__dirname, '..');

/** Files of the repository that the stack is made from. */
export const project = {
  root,
  lockFile: path.join(root, 'package-lock.json'),
  definition: path.join(root, 'statemachine', 'verification.asl.json'),
  copyPackages: path.join(root, 'cdk', 'copy-packages.cjs'),
  /** The source file of a function. */
  entry: (name: string) => path.join(root, 'functions', `${name}.ts`),
} as const;
