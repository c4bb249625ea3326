import { linkedController } from './cancel';
import type { MapState } from './definition';
import { distributedMap } from './distributed-map';
import { evaluateAs, isArray } from './expressions';
import { bindingsOf, type Exit, leave, type Visit } from './frame';
import { runGraph } from './graph';
import { eachLimited } from './limited';
import { limits, withinPayloadLimit } from './limits';
import { concurrency, selectItems } from './map-items';

/** One attempt at a Map state. */
export async function map(state: MapState, visit: Visit): Promise<Exit> {
  const { history } = visit.frame.execution;
  history.record('MapStateStarted', { state: visit.name });
  const { Mode } = state.ItemProcessor.ProcessorConfig;
  try {
    const result = Mode === 'INLINE' ? await inlineMap(state, visit) : await distributedMap(state, visit);
    withinPayloadLimit(result, `the result of ${visit.name}`);
    history.record('MapStateSucceeded', { state: visit.name });
    return await leave(visit, state, bindingsOf(visit, { result }), result, state.Next);
  } catch (thrown) {
    history.record('MapStateFailed', { state: visit.name });
    throw thrown;
  }
}

/**
 * Runs the processor once per item inside this execution; one failure fails the Map and ends the other iterations.
 * Without Items the state's input must be an array: anything else is a `States.QueryEvaluationError` (recorded on AWS).
 */
async function inlineMap(state: MapState, visit: Visit): Promise<unknown[]> {
  const { frame } = visit;
  const items =
    state.Items === undefined
      ? await evaluateAs('{% $states.input %}', bindingsOf(visit), `${visit.name}/Items`, isArray, 'an array')
      : await evaluateAs(state.Items, bindingsOf(visit), `${visit.name}/Items`, isArray, 'an array');
  const inputs = await selectItems(state, visit, items);
  const limit = await concurrency(state, visit, limits.inlineConcurrency);
  const { controller, release } = linkedController(frame.execution.signal);
  const execution = { ...frame.execution, signal: controller.signal };
  const outputs = new Array<unknown>(inputs.length);
  try {
    await eachLimited(inputs, limit, async (input, Index) => {
      const mapItem = { Index, Value: items[Index] };
      const iteration = { ...frame, execution, variables: { ...frame.variables }, mapItem };
      execution.history.record('MapIterationStarted', { state: visit.name });
      try {
        outputs[Index] = await runGraph(state.ItemProcessor, input, iteration);
      } catch (thrown) {
        execution.history.record(controller.signal.aborted ? 'MapIterationAborted' : 'MapIterationFailed', {
          state: visit.name,
        });
        controller.abort(thrown);
        throw thrown;
      }
      execution.history.record('MapIterationSucceeded', { state: visit.name });
    });
  } finally {
    release();
  }
  return outputs;
}
