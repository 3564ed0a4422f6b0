import { EXIT } from '../../src/core/errors/sluice-error.js';
import { errorEntries } from './catalogue.js';

/** docs/errors.md, as the code has it. */
export function errorsPage(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
  const lines = errorEntries().map(
    ({ code, kind, message, state = '', next }) =>
      `| \`${code}\` | ${EXIT[kind]} | ${cell(message)} | ${cell(state)} | ${next.map(cell).join('<br>')} |`,
  );
  return `# Errors

Every error has a code, which stays the same (\`error.code\` in \`--json\`, \`SluiceError.code\` in a program), a sentence, what
state things are in, and what to do next. The exit code says of which kind it is: ${EXIT.failed} something broke, ${EXIT.usage} the command
or the pipeline is wrong, ${EXIT.refused} a check, a validation or a limit said no, ${EXIT.interrupted} somebody asked it to stop. \`…\` stands for
what an error puts in. Where no state stands, whoever was reading says it as the command ends: a check, a dry run and a
batch leave different things behind. This page is made from the catalogue of errors (\`npm run docs:errors\`).

| code | exit | says | state | next |
|---|---|---|---|---|
${lines.join('\n')}
`;
}
