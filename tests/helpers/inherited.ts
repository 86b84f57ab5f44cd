// How a process is started with a socket that listens already, as systemd and shells do.

import { hasProgram } from "./program.ts";

/** Perl is on every machine that has a shell, and it can hand a descriptor on. */
export const canInherit = Deno.build.os !== "windows" && await hasProgram("perl");

const SCRIPT = `
BEGIN { $^F = 255 }
use Socket; use POSIX ();
socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
bind($s, sockaddr_in(0, INADDR_LOOPBACK)) or die;
listen($s, 511) or die;
if (fileno($s) != 3) { POSIX::dup2(fileno($s), 3) or die; close($s); }
if (shift) { $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_FDNAMES} = "weft.socket"; $ENV{LISTEN_PIDFDID} = 1; }
exec @ARGV;
`;

/**
 * A command put before another, which then has a listening socket of 127.0.0.1 as its descriptor 3.
 *
 * @param isTold whether LISTEN_PID, LISTEN_FDS and their like tell of it, as systemd does
 * @returns the words of the command
 */
export function inheriting(isTold: boolean): string[] {
  return ["perl", "-e", SCRIPT, isTold ? "1" : "0"];
}
