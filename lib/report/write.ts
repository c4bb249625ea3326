import type { Storage } from '../storage/storage';
import { reportCsv } from './csv';
import { renderHtml } from './html';
import { reportJson, reportKeys } from './json';
import type { AuditView } from './page/audit';
import type { GalleryItem } from './page/gallery';
import type { Report } from './record';

/**
 * Writes report.json, report.csv and report.html below `prefix` (`runs/<id>`), one after the other, so that only one of
 * them is in memory at a time; gives their keys. Writing again replaces them.
 */
export async function writeReport(
  storage: Storage,
  prefix: string,
  report: Report,
  gallery: readonly GalleryItem[],
  audit?: AuditView,
): Promise<ReturnType<typeof reportKeys>> {
  const keys = reportKeys(prefix);
  await storage.put(keys.json, reportJson(report));
  await storage.put(keys.csv, reportCsv(report));
  await storage.put(keys.html, renderHtml(report, gallery, audit));
  return keys;
}
