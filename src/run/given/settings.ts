import { inputErrors } from '../../core/errors/catalogue/inputs.js';
import { pipelineErrors } from '../../core/errors/catalogue/pipelines.js';
import { nearest } from '../../core/errors/nearest.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Source } from '../../core/types.js';
import type { RunOptions } from './options.js';

/** The inputs with the command's in their places; throws a usage error for a name that is no input. */
export function withGiven(
  pipeline: Pipeline,
  given: Readonly<Record<string, Source>>,
): Record<string, Source> {
  const inputs: Record<string, Source> = { ...pipeline.inputs };
  for (const [name, source] of Object.entries(given)) {
    if (!Object.hasOwn(pipeline.inputs, name)) {
      const names = Object.keys(pipeline.inputs);
      throw inputErrors.no_such_input.ofPipeline({
        pipeline: pipeline.name,
        name,
        names,
        meant: nearest(name, names),
      });
    }
    inputs[name] = source;
  }
  return inputs;
}

/** The pipeline with fewer columns in those of its tables that `fills` names. */
export function withFills(
  pipeline: Pipeline,
  fills: Readonly<Record<string, readonly string[]>> | undefined,
): Pipeline {
  if (fills === undefined) return pipeline;
  const tables = Object.entries(pipeline.tables).map(([name, target]) => {
    const columns = Object.hasOwn(fills, name) ? fills[name] : undefined;
    return [name, columns === undefined ? target : { ...target, columns }] as const;
  });
  return { ...pipeline, tables: Object.fromEntries(tables) };
}

/** The settings as given over the defaults; throws a usage error for what does not fit. */
export function settled(pipeline: Pipeline, given: Readonly<Record<string, string>>): Record<string, string> {
  const declared = pipeline.settings ?? {};
  const settings: Record<string, string> = {};
  for (const [name, setting] of Object.entries(declared)) settings[name] = setting.default;
  for (const [name, value] of Object.entries(given)) {
    const setting = declared[name];
    if (setting === undefined) {
      const names = Object.keys(declared);
      throw pipelineErrors.no_such_setting({
        pipeline: pipeline.name,
        name,
        names,
        meant: nearest(name, names),
      });
    }
    if (setting.values !== undefined && !setting.values.includes(value))
      throw pipelineErrors.bad_setting.value({ name, value, values: setting.values });
    settings[name] = value;
  }
  return settings;
}

/** Whether an input is given in place of the declared one, now or by the command that loaded the batch. */
export function replacedIn({ inputs = {}, givenBefore = [] }: RunOptions): (input: string) => boolean {
  return (input) => inputs[input] !== undefined || givenBefore.includes(input);
}
