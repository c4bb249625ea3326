import { problemsOfCause } from '../../lib/workflow/cause';

test.each([
  ['BadInputError', '{"errorType":"BadInputError","errorMessage":"m: a; b","problems":["a","b"]}', ['a', 'b']],
  [
    'BadInputError',
    '{"errorType":"BadInputError","errorMessage":"model m: a; b","subject":"model m","problems":["a","b"]}',
    ['model m: a', 'model m: b'],
  ],
  ['RangeError', '{"errorType":"RangeError","errorMessage":"too big","trace":[]}', ['too big']],
  [
    'Lambda.Unknown',
    'The cause could not be determined because Lambda did not return an error type. Returned payload: {"errorMessage":"Task timed out after 600.15 seconds"}',
    ['Task timed out after 600.15 seconds'],
  ],
  ['States.Timeout', '', ['States.Timeout']],
  ['States.DataLimitExceeded', 'the result of {Plan} is too long', ['the result of {Plan} is too long']],
])('%s: %s', (error, cause, problems) => {
  expect(problemsOfCause({ error, cause })).toEqual(problems);
});
