/** Does a named step of the work. Whoever times or traces work wraps its steps; by itself a step is just done. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export const plainStep: Step = (_, work) => work();
