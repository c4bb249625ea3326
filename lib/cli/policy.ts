import path from 'node:path';
import type { Command } from 'commander';
import { BadInputError } from '../errors';
import { parsePolicy } from '../policy/read';
import { type ExitCode, exitCodes, printJson, tell } from './exit';
import { readUserFile } from './files';
import type { Host } from './host';

export function addPolicy(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const policy = program
    .command('policy')
    .description('Policies: what is verified when a model is uploaded, and nightly');
  policy
    .command('check')
    .description('Name every problem of a policy file with its place; exit codes: 0 it can be used, 2 it cannot')
    .argument('<file>', 'the policy, JSON (docs/policies.md)')
    .option('--json', 'print {policy, version, problems} as JSON, with defaults filled in')
    .action((file: string, options: { readonly json?: boolean }) => done(check(host, file, options.json === true)));
}

function check(host: Host, file: string, json: boolean): ExitCode {
  const name = path.basename(file).replace(/\.json$/, '');
  try {
    const text = new TextDecoder().decode(readUserFile(file, 'policy').bytes);
    const { policy, version } = parsePolicy(text, name, `policy ${file}`);
    if (json) printJson(host, { status: 'valid', policy, version, problems: [], exitCode: exitCodes.done });
    else host.stdout.write(`${file} can be used; its version is ${version.slice(0, 16)}\n`);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    const { subject, problems, name: title } = error;
    return tell(host, { subject, problems, error: title, code: exitCodes.badInput }, json);
  }
}
