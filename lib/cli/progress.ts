import { Presets, SingleBar } from 'cli-progress';
import { formatCount } from '../report/format';
import type { Output } from './host';

/** Shows how far a run is, on stderr: a bar with counts and time left on a terminal, a line now and then elsewhere. */
export interface Progress {
  phase(text: string): void;
  /** `balls` in all, `settled` of them so far; `detail` says what was found. */
  update(settled: number, balls: number, detail: string): void;
  stop(): void;
}

const silent: Progress = { phase() {}, update() {}, stop() {} };

/** Seconds between lines where there is no terminal. */
const lineInterval = 5;
/** Seconds whose speed tells the time left: the last balls of a run are the slowest. */
const window = 20;

export function createProgress(quiet: boolean, stream: Output): Progress {
  if (quiet) return silent;
  return stream.isTTY ? barProgress(stream) : lineProgress(stream);
}

function barProgress(stream: Output): Progress {
  const bar = new SingleBar(
    {
      stream,
      format: '{phase} {bar} {value}/{total} balls | {eta_formatted} left | {detail}',
      hideCursor: true,
      etaBuffer: 50,
      clearOnComplete: true,
      barsize: 24,
      emptyOnZero: true,
    },
    Presets.shades_classic,
  );
  let phase = '';
  let started = false;
  return {
    phase(text) {
      phase = text;
      if (started) bar.update({ phase });
      else stream.write(`${text} ...\r`);
    },
    update(settled, balls, detail) {
      if (!started) bar.start(balls, settled, { phase, detail });
      else bar.update(settled, { phase, detail });
      started = true;
    },
    stop: () => {
      if (started) bar.stop();
      else stream.write('\x1b[2K');
      started = false;
    },
  };
}

function lineProgress(stream: Output): Progress {
  const begun = Date.now();
  let last = begun;
  const seen: { readonly time: number; readonly settled: number }[] = [{ time: begun, settled: 0 }];
  return {
    phase() {},
    update(settled, balls, detail) {
      const now = Date.now();
      if (now - last < lineInterval * 1000 || settled === 0) return;
      last = now;
      seen.push({ time: now, settled });
      while (seen.length > 2 && seen[0].time < now - window * 1000) seen.shift();
      const rate = (settled - seen[0].settled) / ((now - seen[0].time) / 1000);
      const left = rate > 0 ? `, about ${Math.ceil((balls - settled) / rate)} s left` : '';
      stream.write(`${formatCount(settled)} of ${formatCount(balls)} balls${left}; ${detail}\n`);
    },
    stop() {},
  };
}
