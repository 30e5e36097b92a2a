// Prints what was measured.

const COLUMNS = [
  ['', ({ name = '' }) => name],
  ['', ({ side }) => side],
  ['requests/s', ({ rps }) => rps?.toFixed(rps < 1000 ? 1 : 0)],
  ['CPU µs/request', ({ cpu }) => cpu?.toFixed(0)],
  ['p50 ms', ({ p50 }) => p50?.toFixed(2)],
  ['p99 ms', ({ p99 }) => p99?.toFixed(2)],
  ['ratio', ({ ratio }) => ratio],
];

/**
 * @param rows of the table
 * @param targets each [what, measured, '≤' | '<' | '≥', target]
 * @returns whether all of them are met
 */
export function print(rows, targets) {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row) ?? ''))];
  console.log(`\n${aligned(lines, 2)}\n`);
  if (targets.length === 0) return;
  const judged = targets.map(([what, measured, sign, target]) => [
    what,
    measured.toFixed(measured < 50 ? 2 : 0),
    `${sign} ${target}`,
    MET[sign](measured, target) ? 'met' : 'MISSED',
  ]);
  console.log(aligned([['target', 'measured', '', ''], ...judged], 1));
  return targets.every(([, measured, sign, target]) => MET[sign](measured, target));
}

const MET = {
  '≤': (measured, target) => measured <= target,
  '<': (measured, target) => measured < target,
  '≥': (measured, target) => measured >= target,
};

/** Lines of texts as columns: the first ones to the left, the rest to the right. */
export function aligned(lines, left) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const cell = (text, i) => (i < left ? text.padEnd(widths[i]) : text.padStart(widths[i]));
  return lines.map((line) => line.map(cell).join('  ').trimEnd()).join('\n');
}
