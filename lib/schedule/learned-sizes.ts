import { type ArmBelief, beliefs, bestSize } from './bandit';
import { labelBeliefs, labelKey } from './label-beliefs';
import { banditKey } from './learn';
import type { RunState } from './state';

/** What a run knows of the velocity of one size: the median of what is believed of it, and the interval in which it lies with 90 %. */
export interface LearnedSize {
  readonly size: number;
  /** Pulls that it rests on, those of earlier runs included. */
  readonly pulls: number;
  /** Balls per CPU-second of first attempts, with what the balls that they leave open cost afterwards. */
  readonly velocity: number;
  readonly low: number;
  readonly high: number;
}

/** What was learned at one radius. */
export interface LearnedSizes {
  /** Index of the radius. */
  readonly epsilon: number;
  /** The sizes that were tried, ascending. */
  readonly sizes: readonly LearnedSize[];
  /** The size that is believed to be the best for the balls of each label, of those that were tried for it. */
  readonly labels: readonly { readonly label: number; readonly size: number }[];
}

/** What was learned about first attempts, by radius; radii at which nothing was are left out. */
export function learnedSizes(state: RunState): LearnedSizes[] {
  return state.epsilons.flatMap((value, epsilon) => {
    const key = banditKey(value, 1);
    const sizes = beliefs(state.bandit, key)
      .filter(({ pulls }) => pulls > 0)
      .map(intervalOf);
    if (sizes.length === 0) return [];
    const believed = labelBeliefs(state.bandit, key);
    const prefix = labelKey(key, 0).slice(0, -1);
    const labels = Object.keys(state.bandit.keys)
      .filter((name) => name.startsWith(prefix))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b)
      .flatMap((label) => {
        const size = bestSize(believed(label));
        return size === undefined ? [] : [{ label, size }];
      });
    return [{ epsilon, sizes, labels }];
  });
}

/** The 95 % quantile of the standard normal distribution. */
const z = 1.6448536269514722;

/**
 * The marginal posterior of the mean log velocity is Student's t with 2a degrees of freedom (Murphy 2007, "Conjugate Bayesian analysis of
 * the Gaussian distribution", section 3); its quantile by Cornish and Fisher's expansion (Abramowitz and Stegun, 26.7.5).
 */
function intervalOf({ size, pulls, mean, k, a, b }: ArmBelief): LearnedSize {
  const freedom = 2 * a;
  const t = z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  const reach = t * Math.sqrt(b / (a * k));
  return { size, pulls, velocity: Math.exp(mean), low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}
