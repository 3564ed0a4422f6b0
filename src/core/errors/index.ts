export * from './answer.js';
export * from './author.js';
export * from './nearest.js';
export * from './sluice-error.js';
