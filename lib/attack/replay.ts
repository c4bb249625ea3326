import type { OriginalModel } from '../network/original';
import { contains } from '../region/box';
import { violates } from '../region/violation';
import type { Confirm } from './pgd';
import type { AttackTarget } from './target';

/**
 * The judge of counterexamples: a point counts only if it lies in the box, compared exactly, and the original model, run by
 * ONNX Runtime, maps it to scores that violate. A tie violates.
 */
export function replayOn(model: OriginalModel, targets: readonly AttackTarget[]): Confirm {
  return async (indices, points) => {
    const scores = await model.scores(points, indices.length);
    return indices.map((index, i) => {
      const point = points.subarray(i * model.inputSize, (i + 1) * model.inputSize);
      const own = scores.subarray(i * model.classes, (i + 1) * model.classes);
      return contains(targets[index].box, point) && violates(targets[index].violation, own);
    });
  };
}
