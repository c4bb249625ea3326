import { renderHtml } from '../../lib/report/html';
import { auditSection } from '../../lib/report/page/audit';
import { hostileAudit, sampleAudit } from './audit-sample';
import { hostile } from './hostile';
import { sampleReport } from './sample';

const textOf = (page: string): string =>
  page
    .replace(/<(script|style)\b.*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

test('a run that no policy asked for has no such section', () => {
  expect(auditSection(undefined).markup).toBe('');
  expect(renderHtml(sampleReport(), [])).not.toContain('id="audit"');
});

test('thresholds, the past, and the difference to the last run', () => {
  const text = textOf(renderHtml(sampleReport(), [], sampleAudit()));
  expect(text).toContain('Policy nightly 12 verdicts of earlier runs were reused, and 1 verified again');
  expect(text).toContain('certified accuracy at 0.01 80.0 % 50.0 % missed');
  expect(text).toContain('clean accuracy 90.0 % 95.0 % holds');
  expect(text).toContain('newly broken balls 0 2 missed');
  expect(text).toContain('Compared with night-4');
  expect(text).toContain(`The model changed, from ${'a'.repeat(12)} to ${'b'.repeat(12)}`);
  expect(text).toContain('0.01 4 1 2 1 75.0 % 50.0 % to 55.0 %');
  expect(text).not.toMatch(/undefined|NaN|\[object/);
});

test('the picture has one line per radius over the runs that were done, drawn the same every time', () => {
  const { markup } = auditSection(sampleAudit());
  expect(markup).toMatch(/aria-label="Certified accuracy over 5 runs: from 90\.0 % to 81\.0 % at 0\.01, /);
  expect(markup).toContain('2026-11-15 02:00');
  expect(auditSection(sampleAudit()).markup).toBe(markup);
  const ids = [...markup.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(auditSection(sampleAudit((text) => text, 1)).markup).not.toContain('id="history"');
});

test('of many nights the last sixty are drawn', () => {
  expect(auditSection(sampleAudit((text) => text, 400)).markup).toContain('over 60 runs');
});

test('nothing that users named becomes markup', () => {
  const page = renderHtml(sampleReport(), [], hostileAudit());
  expect(page).not.toContain(hostile);
  expect(page).not.toMatch(/<img src=x/);
  expect(page.match(/<script/g)).toHaveLength(renderHtml(sampleReport(), [], sampleAudit()).match(/<script/g)!.length);
});
