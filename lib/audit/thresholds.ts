import { parseEpsilon } from '../dataset/epsilon';
import { type PolicyEvent, policyEvent } from '../policy/events';
import type { RunPolicy, Thresholds } from '../policy/schema';
import { formatShare } from '../report/format';
import type { Report } from '../report/record';
import type { RunDifference } from './difference';
import type { ThresholdState } from './history';

const newlyBrokenName = 'newly broken balls';
const anyRange = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** What is wrong with a clean accuracy, by the policy of the run; undefined where nothing is. */
export function cleanAccuracyProblem(policy: RunPolicy | undefined, accuracy: number): string | undefined {
  const limit = policy?.thresholds.cleanAccuracy;
  if (policy === undefined || limit === undefined || accuracy >= limit) return undefined;
  return (
    `the model classifies ${formatShare(accuracy)} of the inputs as labelled, and policy ${policy.name} demands ` +
    `${formatShare(limit)} (thresholds.cleanAccuracy): nothing was verified`
  );
}

/** The thresholds of a policy, each with what the run reached. Certified accuracy counts what is proven. */
export function thresholdStates(
  { run, radii }: Pick<Report, 'run' | 'radii'>,
  { cleanAccuracy, certified, newlyBroken }: Thresholds,
  difference: RunDifference | undefined,
): ThresholdState[] {
  const states: ThresholdState[] = [];
  if (cleanAccuracy !== undefined) states.push(atLeast('clean accuracy', cleanAccuracy, run.cleanAccuracy));
  for (const { epsilon, atLeast: limit } of certified) {
    const { value } = parseEpsilon(epsilon, anyRange);
    const proven = radii.find((radius) => radius.value === value)?.certifiedAccuracy[0] ?? 0;
    states.push(atLeast(`certified accuracy at ${epsilon}`, limit, proven));
  }
  if (newlyBroken !== undefined) {
    const value = difference?.radii.reduce((sum, radius) => sum + radius.newlyBroken, 0) ?? 0;
    states.push({ name: newlyBrokenName, limit: newlyBroken, value, holds: value <= newlyBroken });
  }
  return states;
}

function atLeast(name: string, limit: number, value: number): ThresholdState {
  return { name, limit, value, holds: value >= limit };
}

/**
 * One event per threshold that holds now and did not in the last run, or the other way round; without a last run, per threshold
 * that does not hold. Newly broken balls are news in every run that has too many of them.
 */
export function crossings(
  report: Pick<Report, 'run'>,
  policy: RunPolicy,
  states: readonly ThresholdState[],
  last: readonly ThresholdState[],
  at: string,
): PolicyEvent[] {
  const { id: run, request } = report.run;
  return states.flatMap((state) => {
    const { name, limit, value, holds } = state;
    const earlier = last.find((threshold) => threshold.name === name);
    const isNews = name === newlyBrokenName ? !holds : holds !== (earlier?.holds ?? true);
    if (!isNews) return [];
    // Of newly broken balls fewer are better, so the limit is crossed upwards.
    const direction = value < limit ? 'below' : 'above';
    const shown = (number: number): string => (name === newlyBrokenName ? String(number) : formatShare(number));
    const before = earlier === undefined ? '' : ` (last run: ${shown(earlier.value)})`;
    const verb = holds ? 'holds again' : 'is missed';
    return policyEvent([run, name], {
      type: 'Threshold Crossed',
      at,
      message: `${request.model}, policy ${policy.name}: the threshold ${shown(limit)} for ${name} ${verb} with ${shown(value)}${before}`,
      notify: policy.notify,
      policy: policy.name,
      model: request.model,
      run,
      threshold: { name, direction, limit, value, ...(earlier && { previous: earlier.value }) },
    });
  });
}
