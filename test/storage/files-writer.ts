import { once } from 'node:events';
import { fileStorage } from '../../lib/storage/files';
import type { Storage } from '../../lib/storage/storage';

/** Run as a process of its own by files-processes.test.ts: `<root> <what> <name> <count>`; begins at a line on stdin. */
async function main([root, what, name, count]: readonly string[]): Promise<void> {
  const storage = fileStorage(root);
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const numbers = Array.from({ length: Number(count) }, (_, i) => i);
  if (what === 'race') {
    const body = `${name}-${'x'.repeat(10_000)}`;
    for (const i of numbers) {
      if (await storage.putIfAbsent(`race/${i}`, body)) process.stdout.write(`race/${i}\n`);
    }
  } else if (what === 'nest') {
    for (const i of numbers) await storage.put(name === 'object' ? `nest/${i}` : `nest/${i}/below`, name);
  } else {
    // Large bodies, several at once: at any moment one of them is being written.
    await Promise.all([0, 1, 2, 3].map((lane) => overwrite(storage, lane)));
  }
}

async function overwrite(storage: Storage, lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const body = Buffer.alloc(4 + 1_000_000 + (i % 3) * 1_000_000, i % 256);
    body.writeUInt32LE(body.length - 4);
    if (i % 2 === 1) await storage.putIfAbsent(`new/${process.pid}/${lane}/${i}`, body);
    else await storage.put(`again/${lane}`, body);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
