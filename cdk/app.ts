import { App } from 'aws-cdk-lib';
import { checkStack } from './acknowledgements';
import { readSettings } from './settings';
import { BaverlyStack } from './stack';

const app = new App();
const settings = readSettings(app.node);
const stack = new BaverlyStack(app, settings.stackName, { settings });
checkStack(app, stack);
