/** What the clean accuracy says about whether model, data and preprocessing belong together. */
export type AccuracyJudgement =
  | { readonly kind: 'ok'; readonly accuracy: number }
  /** So few inputs that chance and a useful model cannot be told apart. */
  | { readonly kind: 'too few inputs'; readonly accuracy: number }
  /** Verdicts would be about a model that is fed something else than its inputs. */
  | { readonly kind: 'near chance'; readonly accuracy: number; readonly message: string };

/** With fewer inputs nothing is judged: three standard deviations of chance would reach the accuracy of useful models. */
export const fewestInputs = 50;

/** Added to chance: labels of a subset are not quite balanced, and a model fed nonsense favours some classes. */
const margin = 0.05;

/**
 * Whether a clean accuracy of correct / total is explained by guessing among `classes` classes: below 1/classes plus
 * three standard deviations of that guess over `total` inputs, plus 0.05. A model fed pixels of the wrong scale, channel
 * order or normalisation ends up there, and every verdict on it would be sound and worthless.
 */
export function judgeAccuracy(correct: number, total: number, classes: number): AccuracyJudgement {
  const accuracy = total === 0 ? 0 : correct / total;
  if (total < fewestInputs) return { kind: 'too few inputs', accuracy };
  const chance = 1 / classes;
  const deviation = Math.sqrt((chance * (1 - chance)) / total);
  if (accuracy >= chance + 3 * deviation + margin) return { kind: 'ok', accuracy };
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return {
    kind: 'near chance',
    accuracy,
    message:
      `the model classifies ${correct} of ${total} inputs (${percent(accuracy)}) as labelled, no better than guessing ` +
      `among ${classes} classes (${percent(chance)}): check the scale (0 to 255, or 0 to 1?), the layout (CHW or HWC?), ` +
      'mean and std (or is the normalisation part of the model already?), and that labels count the classes in the ' +
      "model's order from 0",
  };
}
