import type { MapState } from './definition';
import { evaluate, evaluateAs, isCount } from './expressions';
import { bindingsOf, type Visit } from './frame';

/** The input of each iteration or child: ItemSelector with `$states.context.Map.Item`, or the item itself. */
export async function selectItems(state: MapState, visit: Visit, items: readonly unknown[]): Promise<unknown[]> {
  if (state.ItemSelector === undefined) return [...items];
  const selected: unknown[] = [];
  for (const [Index, Value] of items.entries()) {
    const frame = { ...visit.frame, mapItem: { Index, Value } };
    selected.push(await evaluate(state.ItemSelector, bindingsOf({ ...visit, frame }), `${visit.name}/ItemSelector`));
  }
  return selected;
}

/** MaxConcurrency (0: no limit but the service's), and never more than the engine's own. */
export async function concurrency(state: MapState, visit: Visit, most: number): Promise<number> {
  const field = `${visit.name}/MaxConcurrency`;
  const asked = await evaluateAs(state.MaxConcurrency ?? 0, bindingsOf(visit), field, isCount, 'a whole number');
  return Math.min(asked === 0 ? most : asked, most, visit.frame.engine.maxParallel);
}
