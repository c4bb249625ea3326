import { readFileSync } from 'node:fs';
import { checkMachine } from '../../../lib/workflow/interpreter/check';
import { execute } from '../../../lib/workflow/interpreter/execute';
import { describeWithData, sharedData } from '../../support/shared-data';
import { fakeClock } from '../support/fake-clock';
import { fakeServices, machineArn } from '../support/run';

interface RecordedCase {
  readonly name: string;
  readonly definition: Record<string, unknown>;
  readonly input: unknown;
  readonly expect: { readonly output?: unknown; readonly error?: string; readonly failed?: true };
}

/**
 * The file gives the two `test_assign_in_choice` cases the definition of `test_output_in_choice`, which AWS cannot have
 * run: the same machine on the same input has another output there. This is the definition that the snapshots of
 * `test_assign_in_choice` belong to (localstack, templates/assign/statemachines/choice_condition_jsonata.json5).
 */
const assignInChoice = {
  QueryLanguage: 'JSONata',
  StartAt: 'ChoiceState',
  States: {
    ChoiceState: {
      Type: 'Choice',
      Choices: [
        {
          Condition: '{% $states.input.condition %}',
          Next: 'ConditionTrue',
          Assign: { Assignment: 'Condition assignment' },
        },
      ],
      Default: 'DefaultState',
      Assign: { Assignment: 'Default Assignment' },
    },
    ConditionTrue: { Type: 'Pass', End: true },
    DefaultState: { Type: 'Fail', Cause: 'Condition is false' },
  },
};

describeWithData('executions recorded on AWS', () => {
  let cases: RecordedCase[];
  try {
    cases = JSON.parse(readFileSync(sharedData('asl-recorded.json'), 'utf8')).cases;
  } catch {
    cases = []; // described and skipped, or caught by the count below
  }

  test('there are 20', () => expect(cases).toHaveLength(20));

  test.each(cases.map((recorded) => [recorded.name, recorded] as const))('%s', async (name, recorded) => {
    const definition = name.startsWith('test_assign_in_choice') ? assignInChoice : recorded.definition;
    const result = await execute(checkMachine(definition), recorded.input, {
      name: 'recorded',
      machineArn,
      services: fakeServices(),
      clock: fakeClock(),
    });
    const { output, error } = recorded.expect;
    expect(result).toMatchObject(
      'output' in recorded.expect
        ? { status: 'SUCCEEDED', output }
        : { status: 'FAILED', ...(error === undefined ? {} : { error }) },
    );
  });
});
