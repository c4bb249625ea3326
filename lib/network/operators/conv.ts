import { formatShape, refuse, weights } from '../values';
import { constantAt, type OperatorRule, variableAt } from './rule';
import { windowOf } from './window';

/** https://onnx.ai/onnx/operators/onnx__Conv.html with one or two spatial axes; one axis is read as height 1 */
export const conv: OperatorRule = (node) => {
  const x = variableAt(node, 0);
  const filter = constantAt(node, 1, 'the filter');
  const [batch, channels, ...spatial] = x.shape;
  const [outChannels, groupChannels, ...kernel] = filter.shape;
  if (batch !== 1) refuse(`input ${formatShape(x.shape)} has no batch dimension of one in front`);
  const groups = node.attributes.int('group', 1);
  if (groupChannels * groups !== channels || outChannels % groups !== 0) {
    refuse(`filter ${formatShape(filter.shape)} in ${groups} groups does not fit input ${formatShape(x.shape)}`);
  }
  const { out, ...window } = windowOf(node, spatial, kernel);
  const bias = node.inputs[2] ? weights(constantAt(node, 2, 'the bias'), 'the bias') : new Float64Array(outChannels);
  if (bias.length !== outChannels) refuse(`bias of ${bias.length} values for ${outChannels} channels`);
  const height = spatial.length === 1 ? 1 : spatial[0];
  return node.emit.conv(x, [1, outChannels, ...(spatial.length === 1 ? [out[1]] : out)], {
    weight: weights(filter, 'the filter'),
    bias,
    ...window,
    groups,
    inShape: [channels, height, spatial[spatial.length - 1]],
    outShape: [outChannels, ...out],
  });
};
