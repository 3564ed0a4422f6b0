import pino, { type Logger } from 'pino';
import { packageVersion } from '../../core/package.js';
import { put } from './output.js';
import type { Severity, Voice } from './terminal.js';

/** SeverityNumber of OpenTelemetry's log data model, by our levels. */
const NUMBERS: Readonly<Record<string, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

/** What every record says of who wrote it, by OpenTelemetry's semantic conventions. */
const RESOURCE = { 'service.name': 'sluice', 'service.version': packageVersion };

/**
 * Writes log records to `destination`, a line of JSON each, from `level` up. Their fields are those of OpenTelemetry's log
 * data model (https://opentelemetry.io/docs/specs/otel/logs/data-model/): Timestamp (RFC 3339), SeverityText,
 * SeverityNumber, Body, Attributes, Resource.
 */
export function logRecords(
  level: Severity | 'debug',
  destination: { write(line: string): void },
): Logger<never, boolean> {
  return pino(
    {
      level,
      base: { Resource: RESOURCE },
      messageKey: 'Body',
      nestedKey: 'Attributes',
      timestamp: () => `,"Timestamp":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ SeverityText: label.toUpperCase(), SeverityNumber: NUMBERS[label] }),
      },
    },
    destination,
  );
}

/** What a record says of the batch that it belongs to. */
export const ofBatch = (batch: string) => ({ 'sluice.batch.id': batch });

/** Says everything on stderr as log records (`--log-format json`), and nothing else. */
export function recordVoice(): Voice {
  const logger = logRecords('info', { write: (line) => put(process.stderr, line) });
  let about: Readonly<Record<string, unknown>> = {};
  return {
    say: (severity, body, attributes = {}) => logger[severity]({ ...about, ...attributes }, body),
    about: (attributes) => {
      about = attributes;
    },
  };
}
