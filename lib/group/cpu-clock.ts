/** CPU-seconds by member. */
export interface MemberClock {
  of(member: number): number;
  /** Does a step for some members, which share what it takes equally. */
  share<T>(among: readonly number[], step: () => Promise<T>): Promise<T>;
  add(member: number, seconds: number): void;
}

/** CPU-seconds of this process, shared equally among the members that a step worked for. */
export function cpuClock(members: number): MemberClock {
  const seconds = new Float64Array(members);
  return {
    of: (member: number): number => seconds[member],
    add: (member, some) => {
      seconds[member] += some;
    },
    async share<T>(among: readonly number[], step: () => Promise<T>): Promise<T> {
      const before = process.cpuUsage();
      const result = await step();
      const { user, system } = process.cpuUsage(before);
      for (const member of among) seconds[member] += (user + system) / 1e6 / among.length;
      return result;
    },
  };
}
