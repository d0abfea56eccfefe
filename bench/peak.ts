import {readFileSync} from 'node:fs';

/**
 * The peak of a process's resident memory in MB, as the kernel keeps it. Not resourceUsage: its peak would be that of
 * the process that started this one. @throws {Error} when it has ended
 */
export function peakMb(pid: number | 'self'): number {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) / 1024;
}

/** User and system time of a process, its threads included. @throws {Error} when it has ended */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name may hold blanks; the fields are counted from the bracket after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
