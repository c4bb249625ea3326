import type { BallBounds, Bounder, BoundOptions, BoundQuery, LayerBounds } from '../../bounds/bounder';
import type { NodeId } from '../../network/network';
import { cpuSeconds, createAccount } from './account';
import { lemmaBook } from './book';
import { chooseLayer } from './choose';
import { type LayerBox, type Lemma, layerBox } from './lemma';
import { createProposer, type Members } from './propose';
import { createProver } from './prover';

/** Bounds of a ball, or the margin by which a lemma, or its own box at a deep layer, proved it. */
export type LemmaBounds = BallBounds & { readonly lemma?: number };

/** What is asked of one ball; without a label no lemma is about it. */
export interface LabelledQuery extends BoundQuery {
  readonly label: number | undefined;
}

/** The lemmas of one network (docs/lemmas.md), and bounds that use and make them. */
export interface Lemmas {
  /** As Bounder.bound; balls whose bounds at a layer lie inside a proven box leave there, with the margin of its proof. */
  bound(queries: readonly LabelledQuery[]): Promise<LemmaBounds[]>;
  /** Proves lemmas anew and keeps those that hold; how many. Their margins are those of this proof, whatever they said. */
  admit(lemmas: readonly Lemma[]): Promise<number>;
  /** Those that were proven here since the last call. */
  takeNew(): Lemma[];
  release(): Promise<void>;
}

export interface LemmaOptions extends BoundOptions {
  /** The layer at which lemmas are proven, a ReLU that cuts the network; learned from samples unless given. */
  readonly layer?: NodeId;
  /** CPU-seconds of bounds after which the layer is learned: few balls are cheaper without. */
  readonly startAfter?: number;
}

/** Learning takes some 0.05 CPU-seconds, most of it for programs of the rest of the network. */
const defaultStart = 0.5;

/** Balls of one label by which the layer is chosen. */
const sampleSize = 8;

type Layer =
  | { readonly kind: 'not known' }
  | { readonly kind: 'none' }
  | { readonly kind: 'chosen'; readonly relu: NodeId };

/** An open ball of a chunk and its row there. */
interface OpenBall {
  readonly row: number;
  readonly box: LayerBox;
}

export function createLemmas(
  bounder: Bounder,
  { layer: given, startAfter = defaultStart, ...options }: LemmaOptions = {},
): Lemmas {
  const prover = createProver(bounder.programs.network, options);
  const proposer = createProposer(prover);
  const book = lemmaBook();
  const account = createAccount();
  const fresh: Lemma[] = [];
  const samples = new Map<number, LabelledQuery[]>();
  let boundSeconds = 0;
  let layer: Layer = given === undefined ? { kind: 'not known' } : { kind: 'chosen', relu: given };

  const keep = (lemma: Lemma | undefined): void => {
    if (lemma && book.add(lemma)) fresh.push(lemma);
  };

  /** Balls are sampled until enough of them share a label. */
  const sample = async (queries: readonly LabelledQuery[]): Promise<void> => {
    for (const query of queries) {
      const { label } = query;
      if (label === undefined) continue;
      const same = samples.get(label) ?? [];
      samples.set(label, same);
      if (same.push(query) < sampleSize) continue;
      samples.clear();
      const choice = await chooseLayer(bounder, prover, proposer, label, same);
      for (const lemma of choice.lemmas) keep(lemma);
      account.assume(choice.secondsPerBall);
      layer = choice.relu === undefined ? { kind: 'none' } : { kind: 'chosen', relu: choice.relu };
      return;
    }
  };

  /** Tries to prove members of a label that no lemma covers: by a hull of many, then one by one; the margins proven. */
  const prove = async (members: Members): Promise<readonly (number | undefined)[]> => {
    const { margins, lemma } = await proposer.hull(members);
    keep(lemma);
    const rest = [...margins.keys()].filter((i) => margins[i] === undefined);
    if (rest.length === 0 || !account.pays()) return margins;
    const start = cpuSeconds();
    const own = await proposer.own({ ...members, boxes: rest.map((i) => members.boxes[i]) });
    account.record(cpuSeconds() - start, own.margins.filter((margin) => margin !== undefined).length);
    const all = [...margins];
    for (const [k, i] of rest.entries()) all[i] = own.margins[k];
    return all;
  };

  /** Lets balls of a chunk go that are proven at this layer, and notes their margins by query. */
  const visit = async (
    { relu, first, balls, lower, upper, left }: LayerBounds,
    queries: readonly LabelledQuery[],
    proven: Map<number, number>,
  ): Promise<void> => {
    const proposing = layer.kind === 'chosen' && layer.relu === relu;
    const open = new Map<number, OpenBall[]>();
    const letGo = (row: number, margin: number): void => {
      left[row] = 1;
      proven.set(first + row, margin);
    };
    for (let row = 0; row < balls; row++) {
      const { label } = queries[first + row];
      if (left[row] === 1 || label === undefined || !(proposing || book.has(label, relu))) continue;
      const box = layerBox(lower, upper, row, lower.length / balls);
      const lemma = book.find(label, relu, box);
      if (lemma) letGo(row, lemma.margin);
      else if (proposing) open.set(label, [...(open.get(label) ?? []), { row, box }]);
    }
    for (const [label, members] of open) {
      const margins = await prove({ label, relu, boxes: members.map(({ box }) => box) });
      for (const [i, margin] of margins.entries()) if (margin !== undefined) letGo(members[i].row, margin);
    }
  };

  const boundPart = async (queries: readonly LabelledQuery[]): Promise<LemmaBounds[]> => {
    const proven = new Map<number, number>();
    const bounds = await bounder.bound(queries, (layer) => visit(layer, queries, proven));
    return bounds.map((ball, i) => {
      const lemma = proven.get(i);
      return lemma === undefined ? ball : { ...ball, lemma };
    });
  };

  return {
    async bound(queries) {
      const results: LemmaBounds[] = [];
      while (results.length < queries.length) {
        const start = cpuSeconds();
        const sampling = layer.kind === 'not known' && boundSeconds >= startAfter;
        const part = queries.slice(results.length, sampling ? results.length + sampleSize : undefined);
        results.push(...(await boundPart(part)));
        boundSeconds += cpuSeconds() - start;
        if (sampling) await sample(part);
      }
      return results;
    },
    async admit(lemmas) {
      let count = 0;
      for (const lemma of lemmas) {
        if (!prover.fits(lemma)) continue;
        const { relu, label, box } = lemma;
        const [margin] = await prover.margins(relu, label, [box]);
        if (margin > 0 && book.add({ ...lemma, margin })) count++;
      }
      return count;
    },
    takeNew: () => fresh.splice(0),
    release: () => prover.release(),
  };
}
