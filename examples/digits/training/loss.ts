/**
 * Softmax cross-entropy, mean over the batch, with its gradient in the scores. Shapes: scores and gradient
 * [labels.length, classes]; a label is a class's position.
 */
export function crossEntropy(scores: Float64Array, labels: Int32Array): { loss: number; gradient: Float64Array } {
  const count = labels.length;
  const classes = scores.length / count;
  const gradient = new Float64Array(scores.length);
  let loss = 0;
  for (let n = 0; n < count; n++) {
    const row = scores.subarray(n * classes, (n + 1) * classes);
    // Subtracting the highest score keeps exp within range and changes nothing.
    const highest = Math.max(...row);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(row[k] - highest);
    loss += highest + Math.log(sum) - row[labels[n]];
    for (let k = 0; k < classes; k++) {
      const target = k === labels[n] ? 1 : 0;
      gradient[n * classes + k] = (Math.exp(row[k] - highest) / sum - target) / count;
    }
  }
  return { loss: loss / count, gradient };
}
