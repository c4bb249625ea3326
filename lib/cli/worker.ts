import { handler as coordinate } from '../../functions/coordinate';
import { handler as plan } from '../../functions/plan';
import { handler as report } from '../../functions/report';
import { handler as verify } from '../../functions/verify';
import { serveHandlers } from '../workflow/pool/child';

/** Entry of the child processes of a local run: the same four functions that AWS runs. */
serveHandlers({ plan, verify, coordinate, report });
