/** What the clean accuracy says about whether model, data and preprocessing belong together. */
export type AccuracyJudgement =
  | { readonly kind: 'ok'; readonly accuracy: number }
  /** So few inputs that chance and a useful model cannot be told apart; `message` where it may well be chance. */
  | { readonly kind: 'too few inputs'; readonly accuracy: number; readonly message?: string }
  /** Verdicts would be about a model that is fed something else than its inputs. */
  | { readonly kind: 'near chance'; readonly accuracy: number; readonly message: string };

/** With fewer inputs nothing is judged: three standard deviations of chance would reach the accuracy of useful models. */
export const fewestInputs = 50;

/** Added to chance: labels of a subset are not quite balanced, and a model fed nonsense favours some classes. */
const margin = 0.05;

const likelyCauses =
  'check the scale (0 to 255, or 0 to 1?), the layout (CHW or HWC?), mean and std (or is the normalisation part of the ' +
  "model already?), and that labels count the classes in the model's order from 0";

/**
 * Whether a clean accuracy of correct / total is explained by guessing among `classes` classes: below 1/classes plus
 * three standard deviations of that guess over `total` inputs, plus 0.05. A model fed pixels of the wrong scale, channel
 * order or normalisation ends up there, and every verdict on it would be sound and worthless. Of few inputs it is said
 * only where at most half are classified as labelled, since that limit goes up to 1 for them.
 */
export function judgeAccuracy(correct: number, total: number, classes: number): AccuracyJudgement {
  const accuracy = total === 0 ? 0 : correct / total;
  const chance = 1 / classes;
  const deviation = Math.sqrt((chance * (1 - chance)) / total);
  const isExplained = accuracy < chance + 3 * deviation + margin;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const found = `the model classifies ${correct} of ${total} inputs (${percent(accuracy)}) as labelled`;
  if (total < fewestInputs) {
    if (total === 0 || !isExplained || accuracy > 0.5) return { kind: 'too few inputs', accuracy };
    const message = `${found}, which are too few to tell from guessing among ${classes} classes (${percent(chance)}): ${likelyCauses}`;
    return { kind: 'too few inputs', accuracy, message };
  }
  if (!isExplained) return { kind: 'ok', accuracy };
  const message = `${found}, no better than guessing among ${classes} classes (${percent(chance)}): ${likelyCauses}`;
  return { kind: 'near chance', accuracy, message };
}
