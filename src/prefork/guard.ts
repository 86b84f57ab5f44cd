// A small program in Perl that starts the application's processes, and stops them when Weft ends, however it ends.
//
// Its stdin is a pipe from Weft, so the system closes it even if Weft is killed. Weft itself could not do this: a process that
// is killed stops nothing. Perl is there if the application is written in Perl, and needs none of its packages for this.

/** What the line on stderr begins with that tells the number of the process group of the application. */
export const GROUP_LINE = "weft: process group ";
/** The exit code if the program cannot be run, as in shells. */
const NOT_RUN = 127;

/**
 * The source. The arguments are the path of the application's socket, how many seconds the application has to end, and the
 * command that starts it. It exits as the application does.
 *
 * The application gets a process group of its own, so that Ctrl-C reaches only Weft, and all of its processes can be stopped at
 * once. TERM goes to its first process, which passes it on. A process may miss it in the moment before it waits for a request.
 * USR1 has libfcgi end that wait and begin no other, so it goes to all that are left a moment later, once: it interrupts what an
 * application does. What is left after the time is killed.
 */
export const GUARD = String.raw`
use strict;
use warnings;
use POSIX ();
use Time::HiRes ();

my ($socket, $grace, @command) = @ARGV;
setpgrp(0, 0);
delete $ENV{SERVER_STARTER_PORT};
pipe(my $woken, my $wake) or die "pipe: $!";
$woken->blocking(0);
my $is_told = 0;
$SIG{CHLD} = sub { syswrite $wake, "x" };
$SIG{TERM} = sub { $is_told = 1; syswrite $wake, "x" };
$SIG{PIPE} = "IGNORE";

my $pid = fork;
die "fork: $!" unless defined $pid;
if ($pid == 0) {
  setpgrp(0, 0);
  $SIG{$_} = "DEFAULT" for qw(CHLD TERM PIPE);
  open STDIN, "<", "/dev/null";
  open STDOUT, ">&", \*STDERR;
  { no warnings; exec { $command[0] } @command; }
  print STDERR "cannot run $command[0]: $!\n";
  POSIX::_exit(${NOT_RUN});
}
print STDERR "${GROUP_LINE}$pid\n";
$0 = "weft-guard $pid";

my $status;
my $deadline;
my $nudge = 0.1;
sub nudge {
  kill "USR1", -$pid if $nudge;
  $nudge = 0;
}
sub stop {
  return if defined $deadline;
  $deadline = Time::HiRes::time() + $grace;
  kill "TERM", $pid unless defined $status;
}
until (defined $status) {
  my $left = defined $deadline ? $deadline - Time::HiRes::time() : undef;
  last if defined $left && $left <= 0;
  $left = $nudge if defined $left && $nudge && $left > $nudge;
  my $bits = "";
  vec($bits, fileno $woken, 1) = 1;
  vec($bits, fileno STDIN, 1) = 1 unless defined $deadline;
  my $count = select $bits, undef, undef, $left;
  nudge() if $count == 0;
  sysread $woken, my $drained, 512;
  if ($count > 0 && !defined $deadline && vec($bits, fileno STDIN, 1)) {
    my $got = sysread STDIN, my $bytes, 512;
    $is_told = 1 unless $got;
  }
  stop() if $is_told;
  while ((my $ended = waitpid -1, POSIX::WNOHANG()) > 0) {
    $status = $? if $ended == $pid;
  }
}

# The first process may have left others behind.
my $was_told = defined $deadline;
$deadline = Time::HiRes::time() + ($grace < 2 ? $grace : 2) unless $was_told;
kill "TERM", -$pid;
while (kill(0, -$pid) && Time::HiRes::time() < $deadline) {
  Time::HiRes::sleep(0.02);
  nudge();
}
kill "KILL", -$pid;
unlink $socket;
if ($was_told) {
  my ($directory) = $socket =~ m{^(.*)/};
  rmdir $directory;
  rmdir $1 if $directory =~ m{^(.*)/};
}
$status = 9 unless defined $status;
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
`;
