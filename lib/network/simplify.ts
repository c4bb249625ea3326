import type { Network } from './network';

export function simplify(network: Network): Network {
  return network;
}
