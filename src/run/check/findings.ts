import { runErrors } from '../../core/errors/catalogue/run.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { distinct, type Next, Suggestion } from '../../core/next.js';
import type { Finding } from '../../core/pipeline.js';

/** A finding with the check that made it. */
export interface NamedFinding {
  readonly name: string;
  readonly finding: Finding;
}

/** How findings of checks, or of validations, refuse. */
type Refusals = typeof runErrors.check_refused | typeof runErrors.validation_refused;

/** Throws `check_refused` (or the one error itself, with all it knows) where a check found an error. */
export function assertChecked(checked: { readonly findings: readonly NamedFinding[] }): void {
  const errors = checked.findings.filter(({ finding }) => finding.severity === 'error');
  if (errors.length > 0) throw refusal(runErrors.check_refused, errors);
}

/** One error out of findings: the sentence of the only one, else how many there are; all they say as details. */
export function refusal(refusals: Refusals, findings: readonly NamedFinding[]): SluiceError {
  const details = findings.flatMap(({ name, finding }) => [
    ...(findings.length > 1 ? [`${name}: ${finding.message}`] : []),
    ...(finding.details ?? []).map((detail) => (findings.length > 1 ? `  ${detail}` : detail)),
  ]);
  const steps = distinct(findings.flatMap(({ finding }) => finding.next ?? []));
  const next = steps.length === 0 ? undefined : steps;
  const [only] = findings;
  return findings.length === 1 && only !== undefined
    ? refusals.one({ check: only.name, why: only.finding.message, next }, { details })
    : refusals.several({ count: findings.length, next }, { details });
}

/** A warning or a note as one sentence: with its first details, and in words what to do about it. */
export function sentence(name: string, { message, details = [], next }: Finding): string {
  const shown = details.slice(0, 3).join('; ');
  const more = details.length > 3 ? `; … (${details.length} in all)` : '';
  const steps = [next ?? []].flat().flatMap((step) => (typeof step === 'string' ? `; ${step}` : []));
  return `${name}: ${message}${shown === '' ? '' : ` (${shown}${more})`}${steps.join('')}`;
}

/** The commands among the steps, which stand below the sentence. */
export function commandsOf(next: Next = []): Suggestion[] {
  return [next].flat().filter((step) => step instanceof Suggestion);
}

/** An error as a finding of the check that met it. */
export function asFinding(error: SluiceError): Finding {
  const { facts } = error;
  const where = [facts.input, facts.line === undefined ? undefined : `line ${facts.line}`]
    .filter(Boolean)
    .join(', ');
  return {
    severity: 'error',
    message:
      where === '' || error.message.includes(facts.input ?? '\0')
        ? error.message
        : `${error.message} (${where})`,
    ...(facts.details === undefined ? {} : { details: facts.details }),
    ...(facts.next === undefined ? {} : { next: facts.next }),
  };
}
