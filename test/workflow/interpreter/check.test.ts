import { BadInputError } from '../../../lib/errors';
import { checkMachine } from '../../../lib/workflow/interpreter/check';
import { distributed, lambdaTask } from '../support/run';

// In two parts: a placeholder written in one piece looks like a mistaken template string.
const placeholder = '$' + '{Bucket}';
const end = { Type: 'Pass', End: true };
const machine = (States: Record<string, unknown>, rest: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: 'A',
  States,
  ...rest,
});

function problemsOf(definition: unknown): readonly string[] {
  try {
    checkMachine(definition);
    return [];
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
}

test('every unknown field, state type and resource is listed with its path', () => {
  const problems = problemsOf(
    machine(
      {
        A: { Type: 'Parallel', Branches: [], End: true },
        B: { ...end, ResultPath: '$.x' },
        C: lambdaTask('f', { Resource: 'arn:aws:states:::sqs:sendMessage', End: true }),
        D: lambdaTask('f', { HeartbeatSeconds: 3, End: true }),
        E: distributed({ A: distributed({ A: end }) }),
        F: distributed({ A: end }, { ToleratedFailureCount: 3, ItemBatcher: {} }),
      },
      { TimeoutSeconds: 5 },
    ),
  );
  expect(problems).toHaveLength(7);
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^States\/A\/Type: .*'Parallel'/),
      expect.stringMatching(/^States\/B: .*"ResultPath"/),
      expect.stringMatching(/^States\/C\/Resource: .*sqs/),
      expect.stringMatching(/^States\/D: .*"HeartbeatSeconds"/),
      expect.stringMatching(/^States\/E\/ItemProcessor\/States\/A\/Type: .*'Map'/),
      expect.stringMatching(/^States\/F: .*"ToleratedFailureCount", "ItemBatcher"/),
      expect.stringMatching(/^top level: .*"TimeoutSeconds"/),
    ]),
  );
});

test.each([
  ['JSONPath', { QueryLanguage: 'JSONPath', StartAt: 'A', States: { A: end } }, /QueryLanguage/],
  ['a start that is missing', machine({ B: end }), /^StartAt: there is no state 'A'/],
  ['a target that is missing', machine({ A: { Type: 'Pass', Next: 'Z' } }), /^States\/A: there is no state 'Z'/],
  ['neither Next nor End', machine({ A: { Type: 'Pass' } }), /give either Next or End/],
  ['both Next and End', machine({ A: { ...end, Next: 'A' } }), /give either Next or End/],
  ['a Wait without a time', machine({ A: { Type: 'Wait', End: true } }), /either Seconds or Timestamp/],
  [
    'a distributed Map without a ResultWriter',
    machine({ A: distributed({ P: end }, { ResultWriter: undefined }) }),
    /needs ResultWriter/,
  ],
  [
    'an inline Map with an ItemReader',
    machine({
      A: distributed(
        { P: end },
        {
          ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'P', States: { P: end } },
          ResultWriter: undefined,
        },
      ),
    }),
    /^States\/A\/ItemReader: not supported in an inline Map/,
  ],
  [
    'a rule without Output beside the Output of its Choice',
    machine({ A: { Type: 'Choice', Output: 1, Default: 'B', Choices: [{ Condition: true, Next: 'B' }] }, B: end }),
    /^States\/A\/Choices\/0: needs an Output/,
  ],
  ['wrong syntax', machine({ A: { ...end, Output: '{% 1 + %}' } }), /^States\/A\/Output: /],
  ['half an expression', machine({ A: { ...end, Output: 'x {% 1 %}' } }), /write the whole string/],
  ['a substitution left open', machine({ A: { ...end, Output: placeholder } }), /no value/],
  ['one left open in JSONata', machine({ A: { ...end, Output: `{% '${placeholder}' %}` } }), /no value/],
  ['$eval', machine({ A: { ...end, Output: "{% $eval('1') %}" } }), /\$eval is neither/],
  ['a function of AWS alone', machine({ A: { ...end, Output: '{% $partition([1], 1) %}' } }), /\$partition is neither/],
  ['a variable that nothing assigns', machine({ A: { ...end, Output: '{% $x %}' } }), /\$x is neither/],
  [
    'a variable of the machine in a distributed child',
    machine({ A: { ...distributed({ P: { ...end, Output: '{% $x %}' } }), Assign: { x: 1 } } }),
    /^States\/A\/ItemProcessor\/States\/P\/Output: \$x is neither/,
  ],
])('refuses %s', (_what, definition, problem) => {
  expect(problemsOf(definition)).toEqual([expect.stringMatching(problem)]);
});

test('accepts variables of the expression itself, JSONata functions, and comments of any kind', () => {
  const Output = '{% ($y := 2; $map([1], function($v, $i) { $v + $y + $count($$) + $string($) }); $sum([1])) %}';
  expect(problemsOf(machine({ A: { ...end, Comment: `${placeholder} {% %`, Output } }))).toEqual([]);
});
