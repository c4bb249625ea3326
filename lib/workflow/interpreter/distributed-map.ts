import { randomUUID } from 'node:crypto';
import { linkedController } from './cancel';
import type { MapState } from './definition';
import { asStatesError, StatesError } from './errors';
import { evaluateAs, isPercentage } from './expressions';
import { bindingsOf, type Frame, type Visit } from './frame';
import { runGraph } from './graph';
import { createHistory } from './history';
import { readItems } from './item-reader';
import { eachLimited } from './limited';
import { limits, withinPayloadLimit } from './limits';
import { concurrency, selectItems } from './map-items';
import { type ChildRecord, writeResults } from './result-writer';

/**
 * Runs every item as a child execution of its own: own variables, own history, and for EXPRESS five minutes. A child's
 * failure is a record in the results; the Map fails (`States.ExceedToleratedFailureThreshold`) when more than
 * ToleratedFailurePercentage of the children failed, and then still writes what it has.
 */
export async function distributedMap(state: MapState, visit: Visit): Promise<unknown> {
  const { engine, execution } = visit.frame;
  const tolerated = await evaluateAs(
    state.ToleratedFailurePercentage ?? 0,
    bindingsOf(visit),
    `${visit.name}/ToleratedFailurePercentage`,
    isPercentage,
    'a percentage',
  );
  const limit = await concurrency(state, visit, limits.distributedConcurrency);
  const inputs = await selectItems(state, visit, await readItems(state, visit));
  const mapRunArn = `${execution.machineArn.replace(':stateMachine:', ':mapRun:')}/${state.Label ?? visit.name}:${randomUUID()}`;
  execution.history.record('MapRunStarted', { state: visit.name, items: inputs.length });

  const records = inputs.map((input, index) => pending(input, index, mapRunArn));
  let done = 0;
  let failed = 0;
  const exceeded = () => new StatesError('States.ExceedToleratedFailureThreshold', failureText(failed, inputs.length));
  const { controller, release } = linkedController(execution.signal);
  try {
    await eachLimited(inputs, limit, async (input, index) => {
      controller.signal.throwIfAborted();
      records[index] = await runChild(state, visit, records[index], input, controller.signal);
      controller.signal.throwIfAborted();
      done++;
      if (records[index].Status !== 'SUCCEEDED') failed++;
      engine.onEvent({
        kind: 'item',
        execution: execution.name,
        state: visit.name,
        done,
        failed,
        total: inputs.length,
      });
      if (failed * 100 > tolerated * inputs.length) controller.abort(exceeded());
    });
    controller.signal.throwIfAborted();
  } catch (thrown) {
    if (execution.signal.aborted) throw execution.signal.reason;
    execution.history.record('MapRunFailed', { state: visit.name });
    await writeResults(state, visit, mapRunArn, records);
    throw thrown;
  } finally {
    release();
  }
  const result = await writeResults(state, visit, mapRunArn, records);
  execution.history.record('MapRunSucceeded', { state: visit.name });
  return result;
}

function failureText(failed: number, total: number): string {
  return `the specified tolerated failure threshold was exceeded: ${failed} of ${total} children failed`;
}

function pending(input: unknown, index: number, mapRunArn: string): ChildRecord {
  const name = `${mapRunArn.split(':').at(-1)}-${index}`;
  const arn = `${mapRunArn.split('/')[0]?.replace(':mapRun:', ':execution:')}:${name}`;
  return { ExecutionArn: arn, Name: name, Input: JSON.stringify(input), Status: 'PENDING' };
}

/** Runs one child to its end. Never throws: how it ended is in its record. */
async function runChild(
  state: MapState,
  visit: Visit,
  record: ChildRecord,
  input: unknown,
  parentSignal: AbortSignal,
): Promise<ChildRecord> {
  const { engine, execution: parent } = visit.frame;
  const config = state.ItemProcessor.ProcessorConfig;
  const type = config.Mode === 'DISTRIBUTED' && config.ExecutionType === 'EXPRESS' ? 'EXPRESS' : 'STANDARD';
  const { controller, release } = linkedController(parentSignal);
  const outOfTime = () => new StatesError('States.Timeout', `an Express child may take ${limits.expressSeconds} s`);
  const cancelDeadline =
    type === 'EXPRESS'
      ? engine.clock.deadline(limits.expressSeconds * 1000, () => controller.abort(outOfTime()))
      : () => {};
  const time = () => new Date(engine.clock.now()).toISOString();
  const started = { ...record, StartDate: time() };
  const frame: Frame = {
    engine,
    variables: {},
    execution: {
      name: record.Name,
      arn: record.ExecutionArn,
      machineArn: parent.machineArn,
      input,
      startTime: started.StartDate,
      history: createHistory(type, () => {}),
      signal: controller.signal,
    },
  };
  try {
    withinPayloadLimit(input, `the input of a child of ${visit.name}`);
    const output = await runGraph(state.ItemProcessor, input, frame);
    return { ...started, Output: JSON.stringify(output), Status: 'SUCCEEDED', StopDate: time() };
  } catch (thrown) {
    const { error, cause } = asStatesError(thrown);
    const status = parentSignal.aborted ? 'ABORTED' : controller.signal.aborted ? 'TIMED_OUT' : 'FAILED';
    return { ...started, Error: error, Cause: cause, Status: status, StopDate: time() };
  } finally {
    cancelDeadline();
    release();
  }
}
