/** Fast tests by default; `BAVERLY_TESTS=slow` runs the end-to-end, browser and synth suites and `*.slow.test.ts` (see .ci/run). */
const slow = ['<rootDir>/test/e2e/', '<rootDir>/test/browser/', '<rootDir>/test/cdk/'];
// Else every test file that opens S3 prints that the AWS SDK of 2027 will need Node.js 22. Processes that tests start inherit it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
module.exports = {
  rootDir: __dirname,
  testEnvironment: './test/support/node-environment.cjs',
  transform: { '^.+\\.ts$': './test/support/esbuild-transform.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.build', '<rootDir>/dist'],
  ...(process.env.BAVERLY_TESTS === 'slow'
    ? { testMatch: [...slow.map((path) => `${path}**/*.test.ts`), '**/test/**/*.slow.test.ts'], testTimeout: 600_000 }
    : {
        testMatch: ['**/test/**/*.test.ts'],
        testPathIgnorePatterns: ['/node_modules/', ...slow, '\\.slow\\.test\\.ts$'],
        testTimeout: 60_000,
        // Jest leaves one core to others, half of a machine of two: that took twice as long.
        maxWorkers: '100%',
      }),
};
