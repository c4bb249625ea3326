/** State `LongRound`: one mini-batch of balls that may take long, with more memory than `verify`. */
export { handler } from './verify';
