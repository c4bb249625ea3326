/**
 * Calls the handler of a bundled function as Lambda does: forked with the function's folder as its argument, it takes the
 * event as a message and answers with the result or with what was thrown.
 */
const [folder] = process.argv.slice(2);

process.once('message', (event) => {
  const { handler } = require(folder);
  const context = { awsRequestId: 'test', functionName: 'test', getRemainingTimeInMillis: () => 60_000 };
  Promise.resolve()
    .then(() => handler(event, context))
    .then(
      (result) => ({ result }),
      ({ name, message, stack }) => ({ error: { errorType: name, errorMessage: message, trace: stack } }),
    )
    // What goes to the daemon of X-Ray is on its way for a moment longer than the call.
    .then((answer) => process.send(answer, () => setTimeout(() => process.exit(), 50)));
});
