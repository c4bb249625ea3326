import type { Bounder } from '../bounds/bounder';
import type { Network } from '../network/network';
import type { OriginalModel } from '../network/original';
import type { Box } from '../region/box';
import { outward } from '../region/outward';
import type { HalfSpace, Violation } from '../region/violation';
import { type Blocks, blocksOf } from './blocks';
import type { Checkpoint } from './checkpoint';
import { doubleBounder } from './double';
import { doubtsOf } from './doubt';
import { createFrontier, type Frontier, type Lane } from './frontier';
import { levels } from './levels';
import type { AffineFunctional, LayerBounds, Problem } from './problem';
import { type Proof, recorder, unlikeness } from './proof';
import { type SearchResult, searchRegions } from './regions';
import { createScratch, type Scratch } from './scratch';
import { slopeBounds } from './slopes';
import { type StepPrograms, stepPrograms, withScratch } from './steps';
import { sparingClock } from './time-limit';
import { transferProof } from './transfer';
import { witnessTrials } from './witness';

/** `transferred`: proven by what proved another ball, and a few sub-problems more. */
export type SearcherResult = SearchResult | { readonly kind: 'transferred'; readonly margin: number };

/** Proofs of the balls of a mini-batch, the latest last. */
export type ProofShelf = Proof[];

export interface SearchOptions {
  /** Clock time, ms since the epoch. */
  readonly deadline: number;
  /** CPU time that it may take, by default without limit. */
  readonly cpuSeconds?: number;
  /** Where an earlier search of the same box and rows stopped. */
  readonly resume?: Checkpoint;
  /** Of other balls with as many functionals: the one of the most similar ball is tried first, and that of this ball is added. */
  readonly proofs?: ProofShelf;
  /** Bounds of what the ReLUs read on the box, as Bounder.preActivations gives them, where they are known. */
  readonly bounds?: readonly LayerBounds[];
  /** Its place among searches that share their calls; the caller leaves it afterwards. */
  readonly lane?: Lane;
}

/** Complete search of single balls of one network. */
export interface Searcher {
  /** Proves all rows > 0 on the box, or finds a counterexample to the violation that they stand for. */
  search(box: Box, violation: Violation, rows: readonly HalfSpace[], options: SearchOptions): Promise<SearcherResult>;
  /**
   * Lower bounds of the rows over the box by so many steps of their slopes and nothing else (slopes.ts): what the search begins with. Measures the method, since its
   * work does not depend on a clock.
   */
  slopes(box: Box, rows: readonly HalfSpace[], steps: number): Promise<number[]>;
  /** For searches that run at the same time and share their calls, at most `searchesAtOnce`. */
  frontier(): Frontier;
  release(): Promise<void>;
}

/** Searches of one frontier: each may keep this part of the open sub-problems that the memory cap allows. */
export const searchesAtOnce = 8;

/** Sub-problems bounded by one call. */
const batch = 128;

/** Proofs with more leaves are not kept, and of the others only so many. */
const mostLeaves = 8192;
const mostProofs = 6;

function shelve(proofs: ProofShelf | undefined, proof: Proof | undefined): void {
  if (proofs === undefined || proof === undefined) return;
  if (proofs.length === mostProofs) proofs.shift();
  proofs.push(proof);
}

function mostSimilar(proofs: ProofShelf, bounds: Proof['bounds'], functionals: number): Proof | undefined {
  let [best, least]: [Proof | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const proof of proofs) {
    const distance = proof.margins.length === functionals ? unlikeness(proof.bounds, bounds) : Number.POSITIVE_INFINITY;
    if (distance < least) [best, least] = [proof, distance];
  }
  return best;
}

/** @param memoryBytes cap on what the open sub-problems of a ball take */
export function createSearcher(
  network: Network,
  bounder: Bounder,
  original: OriginalModel,
  memoryBytes: number,
): Searcher {
  let compiled: { blocks: Blocks; steps: StepPrograms; double: ReturnType<typeof doubleBounder> } | undefined;
  const compile = () => {
    if (compiled === undefined) {
      const blocks = blocksOf(network);
      compiled = { blocks, steps: stepPrograms(blocks), double: doubleBounder(network) };
    }
    return compiled;
  };
  /** Of searches that have ended: each that runs has one of its own, for there may be several at the same time. */
  const idle: Scratch[] = [];
  const search = async (
    box: Box,
    violation: Violation,
    rows: readonly HalfSpace[],
    options: SearchOptions,
    steps: Pick<StepPrograms, 'get'>,
  ): Promise<SearcherResult> => {
    const { deadline, cpuSeconds = Number.POSITIVE_INFINITY, resume, proofs, lane } = options;
    const cpuClock = lane?.cpuClock ?? sparingClock();
    const cpuEnd = cpuClock() + 1e6 * cpuSeconds;
    const { blocks, double } = compile();
    const tryWitness = witnessTrials(bounder.programs, original, { box, violation, seed: 0 }, deadline);
    const functionals = functionalsOf(rows);
    const bounds = options.bounds ?? (await bounder.preActivations(box));
    const record = proofs && resume === undefined ? recorder(rows.length) : undefined;
    const regionOptions = {
      ...{ deadline, cpuEnd, cpuClock, batch },
      frontier: frontierOf(network, lane ? memoryBytes / searchesAtOnce : memoryBytes),
      doubtsOf: (problem: Problem, open: readonly AffineFunctional[]) => doubtsOf(double, box, problem, open),
      ...(record && { recorder: record }),
    };
    const nearest = record && mostSimilar(proofs ?? [], bounds, rows.length);
    const ball = outward(box);
    const transfer =
      nearest && (await transferProof(blocks, steps, ball, bounds, functionals, tryWitness, nearest, regionOptions));
    const keep = (): void => shelve(proofs, record?.proof(bounds, mostLeaves));
    if (transfer?.kind === 'proven') {
      keep();
      return { kind: 'transferred', margin: transfer.margin };
    }
    if (transfer?.kind === 'witness') return { ...transfer, regions: 1 };
    const rest = transfer?.rest ?? resume;
    const result = await searchRegions(blocks, steps, ball, transfer?.bounds ?? bounds, functionals, tryWitness, {
      ...regionOptions,
      levels,
      ...(rest && { resume: rest }),
    });
    if (result.kind === 'proven') keep();
    return result;
  };
  return {
    frontier: () => createFrontier(compile().steps),
    async slopes(box, rows, steps) {
      const { blocks, steps: programs } = compile();
      const scratch = idle.pop() ?? createScratch();
      try {
        const bounds = await bounder.preActivations(box);
        const own = withScratch(programs, scratch);
        return await slopeBounds(blocks, own, outward(box), bounds, functionalsOf(rows), steps);
      } finally {
        idle.push(scratch);
      }
    },
    async search(box, violation, rows, options) {
      if (options.lane) return search(box, violation, rows, options, options.lane.steps);
      const scratch = idle.pop() ?? createScratch();
      try {
        return await search(box, violation, rows, options, withScratch(compile().steps, scratch));
      } finally {
        idle.push(scratch);
      }
    },
    release: async () => compiled?.steps.release(),
  };
}

function functionalsOf(rows: readonly HalfSpace[]): AffineFunctional[] {
  return rows.map(({ coefficients, offset }) => ({ terms: [...coefficients.entries()], offset }));
}

/** Sub-problems that fit the memory cap: per neuron a split, a slope and a multiplier, and some bytes besides. */
function frontierOf(network: Network, memoryBytes: number): number {
  const neurons = network.nodes.reduce((sum, node) => sum + (node.kind === 'relu' ? node.size : 0), 0);
  return Math.max(batch, Math.floor(memoryBytes / 2 / (9 * neurons + 500)));
}
