import Table from 'cli-table3';
import { costByService } from '../cost/cost';
import type { Estimate, Range } from '../estimate/estimate';
import { formatCount, formatNoun, formatSeconds, formatShare, formatUsd } from '../report/format';

/** The estimate for a terminal. */
export function estimateText(estimate: Estimate, epsilons: readonly string[]): string {
  const { inputs, sampled, strata, pool, misclassified, cost, radii } = estimate;
  const table = new Table({
    head: ['', 'expected', 'from', 'to'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const row = (name: string, { value, low, high }: Range, format: (value: number) => string): void => {
    table.push([name, format(value), format(low), format(high)]);
  };
  row('CPU', estimate.cpuSeconds, formatSeconds);
  row('time', estimate.minutes, (minutes) => formatSeconds(60 * minutes));
  row('AWS', estimate.usd, formatUsd);
  for (const [k, radius] of radii.entries()) {
    row(`robust at ${epsilons[k]}`, radius.robust, formatShare);
    row(`not robust at ${epsilons[k]}`, radius.notRobust, formatShare);
    row(`stays open at ${epsilons[k]}`, radius.open, formatShare);
  }
  const services = [...costByService(cost)].map(([service, usd]) => `${service} ${formatUsd(usd)}`);
  return [
    `${formatNoun(inputs, 'input')}: ${formatCount(pool)} looked at (${formatCount(misclassified)} misclassified), ` +
      `${formatCount(sampled)} in ${strata} strata verified`,
    table.toString(),
    `AWS: ${services.join(', ')}; ${formatUsd(cost.usdPerBall)} a ball, prices of ${cost.region}, ${cost.date}`,
    'The ranges hold in some 95 of 100 samples. Time is that of the mini-batches; starting, planning and reporting come on top.',
  ].join('\n');
}
