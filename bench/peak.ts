import {readFileSync} from 'node:fs';

/**
 * The peak of a process's resident memory in MB, as the kernel keeps it. Not resourceUsage: its peak would be that of
 * the process that started this one. @throws {Error} when it has ended
 */
export function peakMb(pid: number | 'self'): number {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) / 1024;
}
