import { classes } from '../drawing/digits';
import { imageSize } from '../drawing/pen';
import type { Random } from '../random';
import { conv } from './conv';
import { dense, relu } from './layers';
import type { Model } from './model';

/** Fully connected: 196 - 64 - 64 - 32 - 10, 160 ReLUs. */
export function fullyConnected(random: Random): Model {
  return [
    dense(imageSize * imageSize, 64, random),
    relu(64),
    dense(64, 64, random),
    relu(64),
    dense(64, 32, random),
    relu(32),
    dense(32, classes, random),
  ];
}

/** Convolutional: 8 x 7 x 7, 16 x 4 x 4, 64 and 10 values, 712 ReLUs. */
export function convolutional(random: Random): Model {
  const first = conv({ inChannels: 1, inSide: imageSize, outChannels: 8, kernel: 4, stride: 2, pad: 1 }, random);
  const second = conv({ inChannels: 8, inSide: first.outSide, outChannels: 16, kernel: 3, stride: 2, pad: 1 }, random);
  return [
    first,
    relu(first.outputSize),
    second,
    relu(second.outputSize),
    dense(second.outputSize, 64, random),
    relu(64),
    dense(64, classes, random),
  ];
}
