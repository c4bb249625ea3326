import { createHash } from 'node:crypto';
import { type AuditView, auditSection } from './page/audit';
import { costSection, guideSection, reasonsSection, runSection } from './page/details';
import { type GalleryItem, gallerySection } from './page/gallery';
import { html, trusted } from './page/markup';
import { overviewSection, pageHeader } from './page/overview';
import { roundsSection } from './page/rounds';
import { script } from './page/script';
import { style } from './page/style';
import { ballsSection, batchesSection } from './page/tables';
import type { Report } from './record';
import { totalCounts } from './totals';

export { chooseGallery, type GalleryItem, galleryLimit } from './page/gallery';

/**
 * report.html: one file that needs nothing else. Its content security policy forbids the network and every script but the
 * one inlined here (by hash), and everything that a user named is escaped. `audit`: of a run of a policy.
 */
export function renderHtml(report: Report, gallery: readonly GalleryItem[], audit?: AuditView): string {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    "style-src 'unsafe-inline'",
    `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="Baverly" />
        <title>Robustness of ${report.run.request.model} on ${report.run.datasetName}</title>
        <style>${trusted(style)}</style>
      </head>
      <body>
        <main>
          ${pageHeader(report)} ${overviewSection(report)} ${auditSection(audit)} ${reasonsSection(report)}
          ${gallerySection(report, gallery, totalCounts(report)['not-robust'])} ${ballsSection(report)}
          ${roundsSection(report)} ${batchesSection(report)} ${costSection(report)} ${guideSection()} ${runSection(report)}
        </main>
        <script>${trusted(script)}</script>
      </body>
    </html>`;
  return `${page.markup}\n`;
}
