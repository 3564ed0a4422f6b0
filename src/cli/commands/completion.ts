import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { packageFile } from '../../core/package.js';
import { handed } from '../show/terminal.js';

const EXPLAINED = `
bash: put source <(sluice completion bash) into ~/.bashrc
zsh: put source <(sluice completion zsh) into ~/.zshrc, below compinit
fish: sluice completion fish > ~/.config/fish/completions/sluice.fish`;

/** `sluice completion SHELL`, and what its scripts ask. */
export function declareCompletion(root: Command): void {
  root
    .command('completion')
    .description('what makes a shell complete commands, flags and pipelines on Tab')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', EXPLAINED)
    .action(async (shell: string) => {
      await handed(readFileSync(packageFile('bin', 'completion', `sluice.${shell}`), 'utf8').trimEnd());
    });
  root
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const { offers } = await import('../completion/offers.js');
      const { LISTED } = await import('../../../pipelines/listed.js');
      const pipelines = LISTED.map(({ name, summary }) => ({ value: name, description: summary }));
      const found = offers(root, words, pipelines);
      if (found.length > 0)
        await handed(found.map(({ value, description }) => `${value}\t${description}`).join('\n'));
    });
}
