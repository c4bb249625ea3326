/**
 * Draws the test set again: `node scripts/run-ts.cjs examples/digits/draw.ts [folder] [sheet.png]`. With a second
 * argument it also writes the first 200 images side by side, to look at.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawDigits, testCount, testSeed } from './drawing/digits';
import { toNpz } from './drawing/npz';
import { contactSheet } from './drawing/sheet';

const [folder = __dirname, sheet] = process.argv.slice(2);
const archive = toNpz(drawDigits(testCount, testSeed));
const file = path.join(folder, 'digits-test.npz');
writeFileSync(file, archive);
console.log(`${file}: ${testCount} images, ${archive.length} bytes`);
if (sheet !== undefined) writeFileSync(sheet, contactSheet(drawDigits(200, testSeed)));
