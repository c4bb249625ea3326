import type { Bounder, BoundQuery } from '../../bounds/bounder';
import type { NodeId } from '../../network/network';
import { cpuSeconds } from './account';
import { type LayerBox, type Lemma, layerBox } from './lemma';
import type { Members, Proposer } from './propose';
import type { Prover } from './prover';

/** What samples say of a network. */
export interface Choice {
  /** The layer at which lemmas save most; undefined where they cost more than they save. */
  readonly relu: NodeId | undefined;
  /** CPU-seconds that a ball costs from that layer to the end. */
  readonly secondsPerBall: number;
  /** What was proven on the way. */
  readonly lemmas: readonly Lemma[];
}

/** Layers that are tried: those with the fewest neurons that may be active, where hulls are narrow and their proofs cheap. */
const layersTried = 2;
/** Times are the least of so many: what comes first compiles programs. */
const times = 2;

/**
 * Chooses the layer for lemmas by sample balls of one label: bounds them with a look at every layer, tries to prove each ball's own box at the
 * most promising ones, and compares what that takes with the bounds that it saves. The first layer never counts: what follows it is
 * all that costs. The choice decides only cost; whatever it is, a lemma is proven.
 */
export async function chooseLayer(
  bounder: Bounder,
  prover: Prover,
  proposer: Proposer,
  label: number,
  samples: readonly BoundQuery[],
): Promise<Choice> {
  const looks = await lookAt(bounder, prover, samples);
  const tried = looks.sort((a, b) => a.active - b.active).slice(0, layersTried);
  const lemmas: Lemma[] = [];
  let best: Omit<Choice, 'lemmas'> = { relu: undefined, secondsPerBall: 0 };
  let most = 0;
  for (const { relu, boxes, secondsPerBall } of tried) {
    const members: Members = { label, relu, boxes };
    let settled = 0;
    const seconds = await leastSeconds(async () => {
      const { margins } = await proposer.own(members);
      settled = margins.filter((margin) => margin !== undefined).length;
    });
    const gain = settled * secondsPerBall - seconds;
    if (gain <= most) continue;
    most = gain;
    best = { relu, secondsPerBall };
    const { lemma } = await proposer.hull(members);
    if (lemma) lemmas.push(lemma);
  }
  return { ...best, lemmas };
}

async function leastSeconds(work: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < times; time++) {
    const start = cpuSeconds();
    await work();
    least = Math.min(least, cpuSeconds() - start);
  }
  return least;
}

interface Look {
  readonly relu: NodeId;
  readonly boxes: readonly LayerBox[];
  /** Neurons that may be active, of all balls together. */
  readonly active: number;
  readonly secondsPerBall: number;
}

/** Every layer but the first that cuts the network, with the samples' boxes there and what follows it costs. */
async function lookAt(bounder: Bounder, prover: Prover, samples: readonly BoundQuery[]): Promise<Look[]> {
  const layers = bounder.programs.relus.slice(1).filter((relu) => prover.cuts(relu));
  const looks = new Map<NodeId, Look>();
  for (let time = 0; time < times; time++) {
    const passed = new Map<NodeId, number>();
    await bounder.bound(samples, async ({ relu, balls, lower, upper }) => {
      if (!layers.includes(relu)) return;
      const size = lower.length / balls;
      const boxes = Array.from({ length: balls }, (_, row) => layerBox(lower, upper, row, size));
      const active = upper.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
      const before = looks.get(relu)?.secondsPerBall ?? Number.POSITIVE_INFINITY;
      looks.set(relu, { relu, boxes, active, secondsPerBall: before });
      passed.set(relu, cpuSeconds());
    });
    const end = cpuSeconds();
    for (const [relu, at] of passed) {
      const look = looks.get(relu) as Look;
      looks.set(relu, { ...look, secondsPerBall: Math.min(look.secondsPerBall, (end - at) / samples.length) });
    }
  }
  return [...looks.values()];
}
