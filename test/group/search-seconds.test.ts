import { effortOf } from '../../lib/group/effort';
import { searchSeconds } from '../../lib/group/search-members';

const last = effortOf(3, 'rest');

test.each([
  ['nothing was spent', 0, 3],
  ['the attack took some', 1, 2],
  ['the attack took more than half', 2, 1.5],
  ['the attack took more than all', 5, 1.5],
])('a search has what bounds and attack leave of its share of 4 s: %s', (_, spent, seconds) => {
  expect(searchSeconds({ effort: last, secondsPerBall: 4 }, spent)).toBe(seconds);
});

test('the shares of the attempts add up to the time of the ball', () => {
  const shares = [1, 2, 3].map((attempt) =>
    searchSeconds({ effort: effortOf(attempt, 'rest'), secondsPerBall: 20 }, 0),
  );
  expect(shares.reduce((sum, share) => sum + share)).toBe(20);
});
