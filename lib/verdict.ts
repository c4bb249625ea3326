/** Why a ball could not be settled. `unknown` cannot be built without one. */
export type UnknownReason =
  | 'search not run'
  | 'time'
  | 'memory'
  | 'budget'
  | 'numerics'
  /** every attempt to verify it ended in a crash or was killed */
  | 'crash';

/** What settled a ball. */
export type SettledBy =
  | 'prediction'
  | 'bound'
  | 'joint bound'
  | 'lemma'
  | 'optimised bound'
  | 'transfer'
  | 'search'
  | 'attack';

/**
 * The verdict on one ball (docs/engine.md, section 1).
 * - robust: every margin is proven > 0 on the whole ball; `margin` is the proven lower bound of the smallest one.
 * - not-robust: `witness` lies in the ball exactly and the original model, run by ONNX Runtime, misclassifies it.
 * - misclassified: the model gets the unperturbed input wrong.
 * - unknown: nothing was proven; `margin` is the best lower bound, where there is one.
 */
export type Verdict =
  | { readonly verdict: 'robust'; readonly settledBy: SettledBy; readonly margin: number }
  | {
      readonly verdict: 'not-robust';
      readonly settledBy: SettledBy;
      readonly witness: Float32Array;
      readonly predicted: number;
    }
  | { readonly verdict: 'misclassified'; readonly settledBy: 'prediction'; readonly predicted: number }
  | { readonly verdict: 'unknown'; readonly reason: UnknownReason; readonly margin?: number };

export type VerdictName = Verdict['verdict'];

export const verdictNames: readonly VerdictName[] = ['robust', 'not-robust', 'unknown', 'misclassified'];
