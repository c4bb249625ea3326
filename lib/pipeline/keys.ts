/** Storage keys of a run (docs/pipeline.md); every key of the project is made here. */
export const runPrefix = (run: string): string => `runs/${run}`;
/** What was asked; written by whoever starts the run. */
export const requestKey = (run: string): string => `${runPrefix(run)}/request.json`;
/** What the run is; written by plan. */
export const recordKey = (run: string): string => `${runPrefix(run)}/run.json`;
/** The cluster trees of the inputs, by label. */
export const treesKey = (run: string): string => `${runPrefix(run)}/trees.bin`;
/** The run's state after so many merged rounds. */
export const stateKey = (run: string, rounds: number): string => `${runPrefix(run)}/state/${rounds}.bin`;
/** Verdicts that became known by prediction (`plan`) or in a round: append-only, one ball a line. */
export const ledgerKey = (run: string, part: number | 'plan'): string => `${runPrefix(run)}/ledger/${part}.jsonl`;
/** The caps in force, and whether the run stopped at one. */
export const capsKey = (run: string): string => `${runPrefix(run)}/caps.json`;
export const roundPrefix = (run: string, round: number): string => `${runPrefix(run)}/rounds/${round}`;
/** The scan of a large data set, in the place of a round. */
const scanPrefix = (run: string): string => `${runPrefix(run)}/rounds/scan`;
/** What its chunks share; written by plan. */
export const scanKey = (run: string): string => `${scanPrefix(run)}/scan.json`;
/** The chunks, one a line. */
export const scanPlanKey = (run: string): string => `${scanPrefix(run)}/plan.jsonl`;
/** Predictions of a chunk, and its problems. */
export const chunkKey = (run: string, chunk: number): string => `${scanPrefix(run)}/results/${chunk}.json`;
/** Fingerprints of a chunk. */
export const chunkPrintsKey = (run: string, chunk: number): string => `${scanPrefix(run)}/results/${chunk}.bin`;
/** The mini-batches of a round, one a line. */
export const planKey = (run: string, round: number): string => `${roundPrefix(run, round)}/plan.jsonl`;
/** Results of a round, one object per mini-batch. */
export const resultsPrefix = (run: string, round: number): string => `${roundPrefix(run, round)}/results/`;
export const resultKey = (run: string, round: number, batch: string): string =>
  `${resultsPrefix(run, round)}${batch}.json`;
/** The counterexample to one ball. */
export const witnessKey = (run: string, round: number, epsilon: number, input: number): string =>
  `${roundPrefix(run, round)}/witnesses/${epsilon}-${input}.npy`;
/** Where the search of a ball stopped; the next attempt replaces it. Among the rounds, which is where verify may write. */
export const checkpointKey = (run: string, epsilon: number, input: number): string =>
  `${runPrefix(run)}/rounds/checkpoints/${epsilon}-${input}.bin`;
/** What became of the mini-batches of a round, one a line; written by coordinate. */
export const outcomesKey = (run: string, round: number): string => `${roundPrefix(run, round)}/outcomes.jsonl`;
/** Why a run ended without a report. */
export const failureKey = (run: string): string => `${runPrefix(run)}/failure.json`;
/** What was learned about mini-batch sizes on a model, from run to run. */
export const learnedKey = (modelHash: string): string => `learned/${modelHash}.json`;
export const policyPrefix = 'policies/';
export const modelPrefix = 'models/';
/** What became of an event (an upload, a night): which runs it asked for, or why none. */
export const dispatchKey = (name: string): string => `dispatches/${name}.json`;
/** Which verdicts of earlier runs a run reuses, and which of them it verifies again; written by plan. */
export const reuseKey = (run: string): string => `${runPrefix(run)}/reuse.jsonl`;
/** What tells the inputs of a run from others, 32 bytes each; written by report. */
export const itemsKey = (run: string): string => `${runPrefix(run)}/items.bin`;
/** What a run of a policy changed against the last one; written by report. */
export const differenceKey = (run: string): string => `${runPrefix(run)}/difference.json`;
/** Verdicts that later runs on the same model may reuse, one object per run that found some. */
export const verdictsPrefix = (modelHash: string, engine: string): string => `verdicts/${modelHash}/${engine}/`;
/** Lemmas on a model, proven by one version of the engine: one object each. */
export const lemmasPrefix = (modelHash: string, engine: string): string => `lemmas/${modelHash}/${engine}/`;
/** A lemma: those of a label are listed by the number of balls that they were made of. */
export const lemmaKey = (prefix: string, label: number, members: number, sha256: string): string =>
  `${prefix}${label}/${String(members).padStart(6, '0')}-${sha256}.json`;
/** The runs of a policy on a model, in the order of their start: one object per run. */
export const historyPrefix = (policy: string, model: string): string =>
  `history/${policy}/${model.replace(/\.onnx$/, '')}/`;
