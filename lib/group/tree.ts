/**
 * A binary cluster tree of some inputs (those of one label), five bytes an input: the inputs in the order of its leaves, and
 * for each boundary between neighbours the depth of the node that divides there. Similar inputs stand together, and a
 * shallow boundary divides what differs much.
 */
export interface ClusterTree {
  /** A permutation of the members. */
  readonly order: Uint32Array;
  /** [order.length] Depth of the node (root: 0) whose cut lies between order[i - 1] and order[i]; entry 0 is 0. */
  readonly depths: Uint8Array;
}
