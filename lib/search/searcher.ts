import type { Bounder } from '../bounds/bounder';
import { sessionCache, type SessionCache } from '../bounds/sessions';
import type { Network } from '../network/network';
import type { OriginalModel } from '../network/original';
import { type Box, contains } from '../region/box';
import { outward } from '../region/outward';
import { type HalfSpace, type Violation, violates } from '../region/violation';
import { type Blocks, blocksOf } from './blocks';
import { problemOf, problemRow } from './problem';
import { emitStep } from './step-graph';
import { type SearchOptions, type SearchResult, searchTree } from './tree';

export interface Searcher {
  search(box: Box, violation: Violation, rows: readonly HalfSpace[], options: SearchOptions): Promise<SearchResult | undefined>;
  release(): Promise<void>;
}

export function createSearcher(network: Network, bounder: Bounder, original: OriginalModel): Searcher {
  const sessions: SessionCache = sessionCache(1);
  let blocks: Blocks | undefined;
  return {
    async search(box, violation, rows, options) {
      blocks ??= blocksOf(network);
      const structure = blocks;
      const session = await sessions.get('step', () => emitStep(structure));
      const bounds = await bounder.preActivations(box);
      const problem = problemOf(structure, outward(box), bounds);
      const carried = rows.map((row) => problemRow(structure, problem, row, bounds));
      if (carried.some((row) => row === undefined)) return undefined;
      const tryWitness = async (corner: Float32Array): Promise<Float32Array | undefined> => {
        const point = Float32Array.from(corner, (e, i) =>
          Math.fround(Math.min(Math.max(problem.centre[i] + problem.radius[i] * e, box.lower[i]), box.upper[i])),
        );
        if (!contains(box, point)) return undefined;
        return violates(violation, await original.scores(point, 1)) ? point : undefined;
      };
      return searchTree(session, problem, carried as never, tryWitness, options);
    },
    release: () => sessions.release(),
  };
}
